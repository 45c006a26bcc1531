package platform

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"
)

// healthyWithin bounds what a service may take to say that it is ready.
const healthyWithin = 2 * time.Second

// adminVariable is where a service with this configuration has its admin listener.
func adminVariable(cfg any) (variable, bool) {
	variables, _ := survey(cfg)
	for _, v := range variables {
		if v.name == "ADMIN_ADDR" {
			return v, true
		}
	}
	return variable{}, false
}

// healthcheck is the health check of a container that holds nothing but the service itself.
func healthcheck(admin variable) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "ask the service at ADMIN_ADDR whether it is ready: status 0, or 1",
		Long: "Asks the service that runs with this environment, by /readyz at ADMIN_ADDR, whether it is ready.\n" +
			"The exit status is 0 when it is, and 1 with a line on stderr when it is not or does not answer.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := admin.load(env.ToMap(os.Environ())); err != nil {
				return misuseError{err}
			}
			return askReady(c.Context(), admin.field.String())
		},
	}
}

// askReady asks the admin listener at addr, where no host means every interface, this one among them.
func askReady(ctx context.Context, addr string) error {
	if err := checkAddr("ADMIN_ADDR", addr); err != nil {
		return misuseError{err}
	}
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	address := "http://" + net.JoinHostPort(host, port) + "/readyz"
	ctx, cancel := context.WithTimeout(ctx, healthyWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	// Neither a proxy of the environment nor a redirect has a say in it.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s", address, resp.Status)
	}
	return nil
}
