// Command bff-mobile is the BFF of the mobile app. It is configured by its environment; --help shows how.
package main

import (
	"context"
	"os"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform"
)

func main() {
	cfg := mobile.DefaultConfig()
	platform.Main("bff-mobile", &cfg, func(ctx context.Context) error {
		p, err := platform.Open(ctx, cfg.Platform, "bff-mobile", os.Stdout)
		if err != nil {
			return err
		}
		return p.Serve(ctx, mobile.New(cfg, p))
	})
}
