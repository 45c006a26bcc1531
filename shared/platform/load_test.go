package platform_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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

func TestLoadSaysAllThatIsWrong(t *testing.T) {
	t.Parallel()
	const redisForms = "; wants redis://[user:password@]host:port[/db] or one of the forms that --help shows"
	const addrForm = "is no address to listen on; wants host:port, such as 127.0.0.1:8080 or :8080"
	redisURL := func(url string) []string { return []string{"REDIS_URL=" + url} }
	tests := []struct {
		name    string
		environ []string
		want    []string
	}{
		{name: "nothing where something is required", environ: []string{"REDIS_URL=", "USERS_URLS="}, want: []string{
			"REDIS_URL: neither it nor REDIS_URL_FILE is set; wants redis://[user:password@]host:port[/db], or rediss:// with TLS; redis+sentinel://host:port[/db]?sentinel_master_name=name&addr=host:port, or redis+cluster://host:port?addr=host:port",
			"USERS_URLS: is not set; wants base URLs, comma separated",
		}},
		{name: "nonsense everywhere", environ: []string{
			"ADDR=8081", "ADMIN_ADDR=localhost:http", "REDIS_URL=redis", "DRAIN_DELAY=5", "DRAIN_TIMEOUT=-1s", "MAX_BODY=1MB",
			"LOG_LEVEL=LOUD", "OTEL_TRACES_SAMPLER_ARG=half", "OTEL_EXPORTER_OTLP_ENDPOINT=collector", "EXTERNAL_URL=http://[",
			"TRUSTED_PROXIES=10.0.0.0/8,proxy", "USERS_WITHIN=never", "COLOUR=blue", "OPEN=ajar", "WORKERS=4.5", "UNTOLD=256",
		}, want: []string{
			`DRAIN_DELAY: "5" is no duration; wants how long to go on serving after a stop signal, while /readyz already says 503 and balancers look elsewhere`,
			`MAX_BODY: "1MB" is no whole number; wants the largest body of a request, in bytes`,
			`LOG_LEVEL: "LOUD" is no level; wants DEBUG, INFO, WARN or ERROR`,
			`OTEL_TRACES_SAMPLER_ARG: "half" is no number; wants the share of requests that are traced, 0 to 1, whatever the caller's traceparent asks for`,
			`EXTERNAL_URL: is no URL; wants how clients reach this service`,
			`TRUSTED_PROXIES: "proxy" is neither a network nor an address; wants networks or addresses, comma separated`,
			`USERS_WITHIN: "never" is no duration; wants a duration`,
			`COLOUR: "blue" is no colour; wants red or green`,
			`OPEN: "ajar" is neither true nor false; wants true or false`,
			`WORKERS: "4.5" is no whole number; wants how many work`,
			`UNTOLD: "256" is out of range`,
			`OTEL_EXPORTER_OTLP_ENDPOINT: "collector" is no address; wants a URL such as http://collector:4318`,
			`ADDR: "8081" ` + addrForm,
			`ADMIN_ADDR: "localhost:http" ` + addrForm,
			`REDIS_URL: is no URL (special characters in a password are written like %40)` + redisForms,
			`DRAIN_TIMEOUT: -1s is negative; wants a duration such as 5s, or 0s`,
		}},
		{name: "every line of a part that judges itself, once", environ: []string{"USERS_URLS=a,b,c", "USERS_WITHIN=2s"}, want: []string{
			"USERS_URLS: are too many", "USERS_WITHIN: is too long; wants less",
		}},
		{name: "a body of nothing", environ: []string{"MAX_BODY=0"}, want: []string{"MAX_BODY: 0 is out of range; wants bytes, from 1 to 1073741824"}},
		{name: "a body of more than anybody waits for", environ: []string{"MAX_BODY=1073741825"}, want: []string{"MAX_BODY: 1073741825 is out of range; wants bytes, from 1 to 1073741824"}},
		{name: "a port out of range", environ: []string{"ADDR=:65536"}, want: []string{`ADDR: ":65536" ` + addrForm}},
		{name: "Redis with a scheme of another", environ: redisURL("redis-sentinel://hunter2@a:1/main"), want: []string{"REDIS_URL: has an unknown scheme" + redisForms}},
		{name: "Redis with the sentinels' master missing", environ: redisURL("redis+sentinel://:hunter2@a:1"), want: []string{"REDIS_URL: has no sentinel_master_name" + redisForms}},
		{name: "Redis without a port", environ: redisURL("redis://:hunter2@redis"), want: []string{"REDIS_URL: has an address that is not host:port" + redisForms}},
		{name: "Redis with a second node without a port", environ: redisURL("redis+cluster://a:1?addr=hunter2"), want: []string{"REDIS_URL: has an address that is not host:port" + redisForms}},
		{name: "Redis with a database of no number", environ: redisURL("redis://a:1/hunter2"), want: []string{"REDIS_URL: has a path that is no number of a database" + redisForms}},
		{name: "Redis with a database of a cluster", environ: redisURL("redis+cluster://a:1/2"), want: []string{"REDIS_URL: names a database, and a cluster has but one" + redisForms}},
		{name: "Redis with a password in the place of the user", environ: redisURL("redis://hunter2@a:1"), want: []string{"REDIS_URL: has a user without a password" + redisForms}},
		{name: "Redis with an unescaped password", environ: redisURL("redis://:hunter2#%@a:1"), want: []string{"REDIS_URL: is no URL (special characters in a password are written like %40)" + redisForms}},
		{name: "Redis with a parameter that only others take", environ: redisURL("redis://a:1?addr=hunter2"), want: []string{"REDIS_URL: has a parameter that is unknown or there twice; its form takes none" + redisForms}},
		{name: "Redis with a parameter of go-redis", environ: redisURL("redis+cluster://a:1?max_retries=3"), want: []string{"REDIS_URL: has a parameter that is unknown or there twice; its form takes addr, tls_enabled" + redisForms}},
		{name: "Redis with a password that ends its parameter", environ: redisURL("redis+sentinel://a:1?sentinel_master_name=m&sentinel_password=hunter&2"), want: []string{"REDIS_URL: has a parameter that is unknown or there twice; its form takes addr, sentinel_master_name, sentinel_user, sentinel_password" + redisForms}},
		{name: "Redis with TLS or not", environ: redisURL("redis+cluster://a:1?tls_enabled=yes"), want: []string{"REDIS_URL: has a tls_enabled that is neither true nor false" + redisForms}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := newServiceConfig()
			err := platform.Load(&cfg, append([]string{"REDIS_URL=redis://redis:6379", "USERS_URLS=http://users:9001"}, test.environ...))
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			if diff := cmp.Diff(test.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestASecretMayComeFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, empty, missing := file("plain", "redis://:hunter2@redis:6379"), file("empty", "\n"), filepath.Join(dir, "missing")
	tests := []struct {
		name    string
		environ []string
		url     string
		keys    []string
		err     string
	}{
		{name: "which may end in a line break or not", environ: []string{"REDIS_URL_FILE=" + plain}, url: "redis://:hunter2@redis:6379"},
		{name: "of which one line break is no part of it", environ: []string{"REDIS_URL_FILE=" + plain, "SESSION_KEYS_FILE=" + file("keys", "new,old\n\n")}, url: "redis://:hunter2@redis:6379", keys: []string{"new", "old\n"}},
		{name: "as Windows writes it", environ: []string{"REDIS_URL_FILE=" + file("windows", "redis://redis:6379\r\n")}, url: "redis://redis:6379"},
		{name: "but not from both", environ: []string{"REDIS_URL_FILE=" + plain, "REDIS_URL=redis://:hunter2@other:6379"}, err: "REDIS_URL: is set, and REDIS_URL_FILE too; wants one of them"},
		{name: "which has to be there", environ: []string{"REDIS_URL_FILE=" + missing}, err: fmt.Sprintf("REDIS_URL_FILE: %q cannot be read: no such file or directory; wants a file with the value of REDIS_URL", missing)},
		{name: "which has to hold something", environ: []string{"REDIS_URL_FILE=" + empty}, err: fmt.Sprintf("REDIS_URL_FILE: %q is empty; wants a file with the value of REDIS_URL", empty)},
		{name: "what is no secret does not", environ: []string{"REDIS_URL_FILE=" + plain, "COLOUR_FILE=" + missing}, url: "redis://:hunter2@redis:6379"},
		{name: "and is judged like any other", environ: []string{"REDIS_URL_FILE=" + file("wrong", "hunter2")}, err: "REDIS_URL: is no URL (special characters in a password are written like %40); wants redis://[user:password@]host:port[/db] or one of the forms that --help shows"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := newServiceConfig()
			err := platform.Load(&cfg, append([]string{"USERS_URLS=http://users:9001"}, test.environ...))
			if (err == nil) != (test.err == "") || (err != nil && err.Error() != test.err) {
				t.Fatalf("Load: %v, want %q", err, test.err)
			}
			if err != nil {
				return
			}
			var keys []string
			for _, key := range cfg.Keys {
				keys = append(keys, key.Reveal())
			}
			if diff := cmp.Diff(test.keys, keys); diff != "" || cfg.Platform.RedisURL.Reveal() != test.url {
				t.Errorf("REDIS_URL %q, SESSION_KEYS (-want +got):\n%s", cfg.Platform.RedisURL.Reveal(), diff)
			}
		})
	}
}

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
