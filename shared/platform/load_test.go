package platform_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
)

// serviceConfig is composed as that of a BFF is, with a variable of every type that there is.
type serviceConfig struct {
	Platform platform.Config
	Edge     edgeConfig
	Users    upstreamConfig  `envPrefix:"USERS_"`
	Keys     []secret.String `env:"SESSION_KEYS" help:"keys, newest first"`
	Colour   colour          `env:"COLOUR" envDefault:"red" help:"red or green"`
	Open     bool            `env:"OPEN" help:"true or false"`
	Workers  int             `env:"WORKERS" envDefault:"4" help:"how many work"`
	Untold   uint8           `env:"UNTOLD"`

	Derived string // no variable
	hidden  string //nolint:unused // shows that unexported fields are left alone
}

type edgeConfig struct {
	External url.URL        `env:"EXTERNAL_URL" envDefault:"http://localhost:8080" help:"how clients reach this service"`
	Proxies  []netip.Prefix `env:"TRUSTED_PROXIES" help:"networks or addresses, comma separated"`
	MaxBody  int64          `env:"MAX_BODY" envDefault:"1048576" help:"the largest body of a request, in bytes"`
}

type upstreamConfig struct {
	URLs   []string      `env:"URLS,required" help:"base URLs, comma separated"`
	Within time.Duration `env:"WITHIN" envDefault:"1s" help:"a duration"`
}

// Validate complains about two variables at once.
func (c upstreamConfig) Validate() error {
	if len(c.URLs) > 2 && c.Within > time.Second {
		return errors.Join(errors.New("USERS_URLS: are too many"), errors.New("USERS_WITHIN: is too long; wants less"))
	}
	return nil
}

// Validate asks its parts, which Load does as well.
func (c *serviceConfig) Validate() error {
	return errors.Join(c.Users.Validate(), c.Platform.Validate())
}

// colour reads itself.
type colour string

// UnmarshalText takes red and green.
func (c *colour) UnmarshalText(text []byte) error {
	if string(text) != "red" && string(text) != "green" {
		return fmt.Errorf("%q is no colour", text)
	}
	*c = colour(text)
	return nil
}

func newServiceConfig() serviceConfig {
	var cfg serviceConfig
	cfg.Platform.Addr, cfg.Platform.AdminAddr = ":8081", "127.0.0.1:9081"
	return cfg
}

// loaded is what newServiceConfig becomes with nothing but what is required.
func loaded(change func(*serviceConfig)) serviceConfig {
	cfg := newServiceConfig()
	cfg.Platform.RedisURL = secret.New("redis://redis:6379")
	cfg.Platform.DrainDelay, cfg.Platform.DrainTimeout = 5*time.Second, 25*time.Second
	cfg.Platform.MaxBody, cfg.Edge.MaxBody = 1<<20, 1<<20
	cfg.Platform.Telemetry = telemetry.Config{LogLevel: slog.LevelInfo, SampleRatio: 1}
	cfg.Edge.External = url.URL{Scheme: "http", Host: "localhost:8080"}
	cfg.Users = upstreamConfig{URLs: []string{"http://users:9001"}, Within: time.Second}
	cfg.Colour, cfg.Workers = "red", 4
	change(&cfg)
	return cfg
}

func TestLoadSetsWhatTheEnvironmentSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		environ []string
		want    serviceConfig
	}{
		{
			name: "the rest has its default, from the tag or from before",
			want: loaded(func(*serviceConfig) {}),
		},
		{
			name:    "what is empty is not set",
			environ: []string{"ADDR=", "DRAIN_DELAY=", "LOG_LEVEL=", "SESSION_KEYS=", "TRUSTED_PROXIES=", "REDIS_URL_FILE="},
			want:    loaded(func(*serviceConfig) {}),
		},
		{
			name:    "what nobody knows is nobody's business",
			environ: []string{"HOME=/", "ADDRESS=:1", "Derived=x", "=x", "x"},
			want:    loaded(func(*serviceConfig) {}),
		},
		{
			name: "every type is read",
			environ: []string{
				"ADDR=:1", "ADMIN_ADDR=:2", "REDIS_URL=rediss://:pw@redis:6379/1", "DRAIN_DELAY=0s", "DRAIN_TIMEOUT=1m30s",
				"LOG_LEVEL=debug", "OTEL_TRACES_SAMPLER_ARG=0.25", "EXTERNAL_URL=https://shop.example.com",
				"TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7,2001:db8::1,::ffff:192.0.2.8", "USERS_URLS=http://a:1, http://b:2",
				"SESSION_KEYS=new,old", "COLOUR=green", "OPEN=true", "WORKERS=-1", "UNTOLD=255",
			},
			want: loaded(func(c *serviceConfig) {
				c.Platform.Addr, c.Platform.AdminAddr = ":1", ":2"
				c.Platform.RedisURL = secret.New("rediss://:pw@redis:6379/1")
				c.Platform.DrainDelay, c.Platform.DrainTimeout = 0, 90*time.Second
				c.Platform.Telemetry = telemetry.Config{LogLevel: slog.LevelDebug, SampleRatio: 0.25}
				c.Edge.External = url.URL{Scheme: "https", Host: "shop.example.com"}
				c.Edge.Proxies = []netip.Prefix{
					netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
					netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("192.0.2.8/32"),
				}
				c.Users.URLs = []string{"http://a:1", "http://b:2"}
				c.Keys = []secret.String{secret.New("new"), secret.New("old")}
				c.Colour, c.Open, c.Workers, c.Untold = "green", true, -1, 255
			}),
		},
		{
			name: "two parts may read the same variable", environ: []string{"MAX_BODY=10"},
			want: loaded(func(c *serviceConfig) { c.Platform.MaxBody, c.Edge.MaxBody = 10, 10 }),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := newServiceConfig()
			// The later of two values counts.
			err := platform.Load(&got, append([]string{"REDIS_URL=redis://redis:6379", "USERS_URLS=http://users:9001"}, test.environ...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(serviceConfig{}), cmp.Comparer(sameSecret), cmp.Comparer(samePrefix)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func sameSecret(a, b secret.String) bool { return a == b }
func samePrefix(a, b netip.Prefix) bool  { return a == b }

func TestOnlyAPointerToAStructIsAConfiguration(t *testing.T) {
	t.Parallel()
	for _, cfg := range []any{serviceConfig{}, new(int), nil} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Load takes a %T", cfg)
				}
			}()
			_ = platform.Load(cfg, nil)
		}()
	}
}
