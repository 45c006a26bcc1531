// Command devstack runs the whole suite in one process, for development and as its demonstration.
package main

import (
	"context"
	"os"

	"bff.internal/devstack/stack"
	"bff.internal/shared/platform"
)

func main() {
	cfg := stack.Config{Log: os.Stdout}
	platform.Main("devstack", &cfg, func(ctx context.Context) error {
		s, err := stack.Start(ctx, cfg)
		if err != nil {
			return err
		}
		s.Banner(os.Stdout)
		<-ctx.Done()
		return s.Close()
	})
}
