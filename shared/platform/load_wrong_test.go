package platform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/platform"
)

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
