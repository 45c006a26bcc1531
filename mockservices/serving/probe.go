package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// probeWithin bounds what a server may take to answer a probe.
const probeWithin = 2 * time.Second

// Probe asks the server of this host that listens on address, host:port, for a path, and returns nil when it answers
// with 200 within two seconds. Without a host, or where that is every interface, it is asked at 127.0.0.1.
func Probe(ctx context.Context, address, path string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	to := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: path}
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s does not answer within %v", &to, probeWithin)
	}
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", &to, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s", &to, resp.Status)
	}
	return nil
}
