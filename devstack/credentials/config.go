package credentials

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"
)

// Config says where users sign in. Its URLs are http or https with a host and nothing after it. An internal URL is where
// a server is reached from here, though everything in requests, cookies and redirects is as if a browser was meeting it
// under the other one; zero means no such difference.
type Config struct {
	Edge           url.URL `env:"EDGE_URL" envDefault:"http://localhost:8080" help:"the edge as browsers reach it"`
	EdgeInternal   url.URL `env:"EDGE_INTERNAL_URL" help:"where this process reaches the edge when that differs from EDGE_URL, such as http://edge:8080"`
	Issuer         url.URL `env:"ISSUER" envDefault:"http://localhost:9000" help:"Identity as browsers reach it and as tokens name it"`
	IssuerInternal url.URL `env:"ISSUER_INTERNAL_URL" help:"where this process reaches Identity when that differs from ISSUER, such as http://identity:9000"`
	Password       string  `env:"DEMO_PASSWORD" help:"the password of every user"`

	// PartnerKey returns an API key that is good at bff-partner; without the function no key is shown.
	PartnerKey func(ctx context.Context) (string, error)
	// Within bounds a whole login; 0 is 10 s.
	Within time.Duration
	// Log is told what went wrong; nil discards it.
	Log *slog.Logger
}

// Validate names each variable that is wrong and what it wants, a line each.
func (c Config) Validate() error {
	return errors.Join(
		checkOrigin("EDGE_URL", c.Edge),
		checkInternal("EDGE_INTERNAL_URL", c.EdgeInternal),
		checkOrigin("ISSUER", c.Issuer),
		checkInternal("ISSUER_INTERNAL_URL", c.IssuerInternal),
	)
}

func checkOrigin(variable string, u url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return fmt.Errorf("%s: wants http or https and a host with nothing after it, such as http://localhost:8080", variable)
	}
	return nil
}

func checkInternal(variable string, internal url.URL) error {
	if internal == (url.URL{}) {
		return nil
	}
	return checkOrigin(variable, internal)
}
