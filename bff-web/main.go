// Command bff-web is the BFF of the web application. It is configured by its environment; --help shows how.
package main

import (
	"context"
	"os"

	"bff.internal/bff-web/webapp"
	"bff.internal/shared/platform"
)

func main() {
	cfg := webapp.DefaultConfig()
	platform.Main("bff-web", &cfg, func(ctx context.Context) error {
		p, err := platform.Open(ctx, cfg.Platform, "bff-web", os.Stdout)
		if err != nil {
			return err
		}
		return p.Serve(ctx, webapp.New(cfg, p))
	})
}
