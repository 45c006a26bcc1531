package platform_test //nolint:testableexamples // a main function serves until it is told to stop

import (
	"context"
	"net/http"
	"os"

	"bff.internal/shared/platform"
)

// mobileConfig stands for mobile.Config: the Config of each shared package that the service uses.
type mobileConfig struct {
	Platform platform.Config
}

// newMobile stands for mobile.New: it opens nothing, and registers with p.Go what goes on in the background.
func newMobile(_ mobileConfig, p *platform.Platform) http.Handler {
	p.Go("keys", func(ctx context.Context) error {
		<-ctx.Done() // fetching them now and then
		return nil
	})
	return http.NotFoundHandler()
}

// The main function of a binary. What cfg holds before are the defaults of this binary. Serve closes the
// platform; where something between Open and Serve can fail, Close is deferred.
func Example() {
	const service = "bff-mobile"
	cfg := mobileConfig{Platform: platform.Config{Addr: ":8081", AdminAddr: "127.0.0.1:9081"}}
	platform.Main(service, &cfg, func(ctx context.Context) error {
		p, err := platform.Open(ctx, cfg.Platform, service, os.Stdout)
		if err != nil {
			return err
		}
		return p.Serve(ctx, newMobile(cfg, p))
	})
}
