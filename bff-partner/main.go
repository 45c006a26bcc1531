// Command bff-partner is the BFF of partners, and makes their API keys. It is configured by its environment; --help
// shows how.
package main

import (
	"context"
	"os"

	"bff.internal/bff-partner/internal/keys"
	"bff.internal/bff-partner/partner"
	"bff.internal/shared/platform"
)

func main() {
	cfg := partner.DefaultConfig()
	platform.Main("bff-partner", &cfg, func(ctx context.Context) error {
		p, err := platform.Open(ctx, cfg.Platform, "bff-partner", os.Stdout)
		if err != nil {
			return err
		}
		return p.Serve(ctx, partner.New(cfg, p))
	}, keys.Command(partner.Scopes()))
}
