package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := pairs[name]
		return value, ok
	}
}

// freePorts lets every service have a free port.
func freePorts() func(string) (string, bool) {
	pairs := map[string]string{}
	for _, s := range services() {
		pairs[s.variable] = "127.0.0.1:0"
	}
	return environment(pairs)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want []string // parts of what is said
	}{
		{"an unknown service", []string{"users", "user"}, nil, []string{`"user"`, "--help"}},
		{"an unknown flag", []string{"--port"}, nil, []string{`"--port"`}},
		{"an address without a port", nil, map[string]string{"USERS_ADDR": "localhost"}, []string{"USERS_ADDR wants host:port"}},
		{"a port that is none", nil, map[string]string{"ORDERS_ADDR": ":http"}, []string{"ORDERS_ADDR wants host:port"}},
		{"a port that is too high", nil, map[string]string{"IDENTITY_ADDR": ":65536"}, []string{"IDENTITY_ADDR wants"}},
		{"an address of a service not asked for", []string{"users"}, map[string]string{"ANALYTICS_ADDR": "x"}, []string{"ANALYTICS_ADDR wants"}},
		{"an issuer without a scheme", nil, map[string]string{"ISSUER": "localhost:9000"}, []string{"ISSUER wants http"}},
		{"an issuer with a path", nil, map[string]string{"ISSUER": "http://localhost:9000/"}, []string{"ISSUER wants http"}},
		{"an issuer far away without TLS", nil, map[string]string{"ISSUER": "http://id.example.com"}, []string{"ISSUER wants https"}},
		{"an internal URL with a path", nil, map[string]string{"ISSUER_INTERNAL_URL": "http://identity/x"}, []string{"ISSUER_INTERNAL_URL wants"}},
		{"a short secret", nil, map[string]string{"PARTNER_CLIENT_SECRET": "hunter2"}, []string{"PARTNER_CLIENT_SECRET wants at least 16"}},
		{"a short secret of bff-web", nil, map[string]string{"WEB_CLIENT_SECRET": "hunter2"}, []string{"WEB_CLIENT_SECRET wants at least 16"}},
		{"a short password", nil, map[string]string{"DEMO_PASSWORD": "abc"}, []string{"DEMO_PASSWORD wants at least 4"}},
		{"an external URL with a path", nil, map[string]string{"EXTERNAL_URL": "http://localhost:8080/web"}, []string{"EXTERNAL_URL wants http"}},
		{"a level that does not exist", nil, map[string]string{"LOG_LEVEL": "loud"}, []string{"LOG_LEVEL wants debug, info"}},
		{"a Redis without a scheme", nil, map[string]string{"REDIS_URL": "hunter2@localhost:6379"}, []string{"REDIS_URL wants redis://"}},
		{"two things at once", nil, map[string]string{"LOG_LEVEL": "loud", "USERS_ADDR": "x"}, []string{"LOG_LEVEL", "USERS_ADDR"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, errout strings.Builder
			code := run(t.Context(), test.args, environment(test.env), &out, &errout)
			if code != exitUsage || out.Len() > 0 {
				t.Errorf("exit %d, %s", code, out.String())
			}
			for _, want := range test.want {
				if !strings.Contains(errout.String(), want) {
					t.Errorf("it says %q, without %q", errout.String(), want)
				}
			}
			if strings.Contains(errout.String(), "hunter2") {
				t.Error("it repeats a secret")
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"--help", "-h", "help"} {
		var out, errout strings.Builder
		if code := run(t.Context(), []string{arg}, environment(nil), &out, &errout); code != 0 || errout.Len() > 0 {
			t.Errorf("%s: exit %d, %s", arg, code, errout.String())
		}
		for _, want := range []string{
			"healthcheck", "identity", "users", "orders", "analytics", "127.0.0.1:9000", "127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003",
			"ISSUER_INTERNAL_URL", "PARTNER_CLIENT_SECRET", "WEB_CLIENT_SECRET", "EXTERNAL_URL", "DEMO_PASSWORD", "LOG_LEVEL", "dev-only",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s does not mention %s", arg, want)
			}
		}
	}
}

func TestAnAddressThatCannotBeHad(t *testing.T) {
	t.Parallel()
	var errout strings.Builder
	env := environment(map[string]string{"USERS_ADDR": "192.0.2.1:1"})
	if code := run(t.Context(), []string{"users"}, env, io.Discard, &errout); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if lines := strings.Count(errout.String(), "\n"); lines != 1 {
		t.Errorf("it says %q", errout.String())
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"all of them", nil, []string{"identity", "users", "orders", "analytics"}},
		{"those named", []string{"orders", "users"}, []string{"users", "orders"}},
		{"one named twice", []string{"users", "users"}, []string{"users"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			lines, errout := io.Pipe()
			code := -1
			var running sync.WaitGroup
			running.Go(func() {
				code = run(ctx, test.args, freePorts(), io.Discard, errout)
				if err := errout.Close(); err != nil {
					t.Error(err)
				}
			})
			log := bufio.NewScanner(lines)
			for _, want := range test.want {
				name, url := listening(t, log)
				if name != want {
					t.Errorf("%s listens, not %s", name, want)
				}
				probe(t, url+"/livez")
			}
			stop()
			rest := 0
			for log.Scan() {
				rest++
			}
			running.Wait()
			if code != 0 || rest != 1 {
				t.Errorf("exit %d, with %d more lines", code, rest)
			}
		})
	}
}

// listening is the next line of the log, which must say that a service listens.
func listening(t *testing.T, log *bufio.Scanner) (name, url string) {
	t.Helper()
	if !log.Scan() {
		t.Fatal("the log ended")
	}
	var line struct{ Msg, Service, URL string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Msg != "listening" {
		t.Fatalf("the log says %s", log.Text())
	}
	return line.Service, line.URL
}

func probe(t *testing.T, url string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "ok" {
		t.Errorf("%s: %d %q, %v", url, response.StatusCode, body, err)
	}
}
