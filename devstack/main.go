// Command devstack runs the whole suite in one process, for development and as its demonstration. With an argument it
// is one of the small services that the suite has beside it when every part is a process.
package main

import (
	"context"
	"os"

	"bff.internal/devstack/stack"
	"bff.internal/mockservices/identity"
	"bff.internal/shared/platform"
)

func main() {
	cfg := stack.Config{Log: os.Stdout}
	desk := credentialsConfig{Log: os.Stdout}
	desk.Credentials.Password = identity.DevPassword
	var asked listenConfig
	platform.Main("devstack", &cfg, func(ctx context.Context) error {
		s, err := stack.Start(ctx, cfg)
		if err != nil {
			return err
		}
		s.Banner(os.Stdout)
		<-ctx.Done()
		return s.Close()
	},
		platform.Command("credentials", "serve /dev/credentials and /dev/session, for an edge to send on to",
			&desk, func(ctx context.Context) error { return serveCredentials(ctx, desk) }),
		platform.Command("healthcheck", "ask what serves credentials at ADDR whether it is there: status 0, or 1",
			&asked, func(ctx context.Context) error { return healthcheck(ctx, asked) }),
	)
}
