package stack

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"bff.internal/shared/ratelimit"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
)

// Config says where everything listens. Load it from the environment, or begin with FreePorts.
type Config struct {
	Edge         string `env:"EDGE_ADDR" envDefault:"127.0.0.1:8080" help:"host:port of the edge, where clients come in"`
	Mobile       string `env:"MOBILE_ADDR" envDefault:"127.0.0.1:8081" help:"host:port of bff-mobile"`
	MobileAdmin  string `env:"MOBILE_ADMIN_ADDR" envDefault:"127.0.0.1:9081" help:"host:port of its admin listener"`
	Web          string `env:"WEB_ADDR" envDefault:"127.0.0.1:8082" help:"host:port of bff-web"`
	WebAdmin     string `env:"WEB_ADMIN_ADDR" envDefault:"127.0.0.1:9082" help:"host:port of its admin listener"`
	Partner      string `env:"PARTNER_ADDR" envDefault:"127.0.0.1:8083" help:"host:port of bff-partner"`
	PartnerAdmin string `env:"PARTNER_ADMIN_ADDR" envDefault:"127.0.0.1:9083" help:"host:port of its admin listener"`
	Identity     string `env:"IDENTITY_ADDR" envDefault:"127.0.0.1:9000" help:"host:port of the identity provider; its port is also that of the issuer"`
	Users        string `env:"USERS_ADDR" envDefault:"127.0.0.1:9001" help:"host:port of the User Service"`
	Orders       string `env:"ORDERS_ADDR" envDefault:"127.0.0.1:9002" help:"host:port of the Order Service"`
	Analytics    string `env:"ANALYTICS_ADDR" envDefault:"127.0.0.1:9003" help:"host:port of the Analytics Service"`

	RedisURL   secret.String `env:"REDIS_URL" help:"a Redis to use; without it one runs inside the process"`
	Redis      string        `env:"REDIS_ADDR" envDefault:"127.0.0.1:6390" help:"host:port of the Redis inside the process"`
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s" help:"how long the BFFs go on serving after Ctrl-C"`
	LogLevel   slog.Level    `env:"LOG_LEVEL" envDefault:"INFO" help:"DEBUG, INFO, WARN or ERROR"`

	// Upstream bounds the calls of each BFF to each service, and the memory for answers; the zero value keeps none.
	Upstream upstream.Policy
	// PartnerLimit is what each partner may ask for.
	PartnerLimit ratelimit.Config

	// IssuerHost is how browsers call the host of the identity provider; "" is localhost. An address in its place,
	// such as 127.0.0.1, makes it another site than the edge's.
	IssuerHost string
	// AccessTokenLifetime is that of the identity provider's access tokens; 0 is its own choice.
	AccessTokenLifetime time.Duration
	// Log gets the log of every part, a JSON line an event; nil discards it.
	Log io.Writer
}

// Validate names each variable that is wrong and what it wants, a line each.
func (c Config) Validate() error {
	var errs []error
	for _, listener := range []struct{ variable, addr string }{
		{"EDGE_ADDR", c.Edge},
		{"MOBILE_ADDR", c.Mobile},
		{"MOBILE_ADMIN_ADDR", c.MobileAdmin},
		{"WEB_ADDR", c.Web},
		{"WEB_ADMIN_ADDR", c.WebAdmin},
		{"PARTNER_ADDR", c.Partner},
		{"PARTNER_ADMIN_ADDR", c.PartnerAdmin},
		{"IDENTITY_ADDR", c.Identity},
		{"USERS_ADDR", c.Users},
		{"ORDERS_ADDR", c.Orders},
		{"ANALYTICS_ADDR", c.Analytics},
		{"REDIS_ADDR", c.Redis},
	} {
		_, port, err := net.SplitHostPort(listener.addr)
		if _, notPort := strconv.ParseUint(port, 10, 16); err != nil || notPort != nil {
			errs = append(errs, fmt.Errorf("%s: %q is no address to listen on; wants host:port, such as 127.0.0.1:8080", listener.variable, listener.addr))
		}
	}
	return errors.Join(errs...)
}

// FreePorts has everything listen on free ports of the loopback interface, logs nothing and keeps no answers: for tests.
func FreePorts() Config {
	const free = "127.0.0.1:0"
	return Config{
		Edge: free, Mobile: free, MobileAdmin: free, Web: free, WebAdmin: free, Partner: free, PartnerAdmin: free,
		Identity: free, Users: free, Orders: free, Analytics: free, Redis: free,
		PartnerLimit: ratelimit.Config{Rate: ratelimit.Rate{Requests: 600, Per: time.Minute}, Burst: 100},
	}
}
