package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// startUsers runs the User Service until the test ends and returns its URL.
func startUsers(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	lines, errout := io.Pipe()
	var running sync.WaitGroup
	running.Go(func() {
		run(ctx, []string{"users"}, freePorts(), io.Discard, errout)
		_ = errout.Close()
	})
	log := bufio.NewScanner(lines)
	_, url := listening(t, log)
	running.Go(func() {
		for log.Scan() { // so that nobody waits to be read
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return url
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	users := strings.TrimPrefix(startUsers(t), "http://")
	const nobody = "127.0.0.1:1"
	here := map[string]string{"USERS_ADDR": users, "IDENTITY_ADDR": nobody, "ORDERS_ADDR": nobody, "ANALYTICS_ADDR": nobody}
	_, port, _ := strings.Cut(users, ":")
	tests := []struct {
		name  string
		names []string
		env   map[string]string
		want  int
		says  []string // in one line
	}{
		{"one that is there", []string{"users"}, here, 0, nil},
		{"on every interface", []string{"users"}, map[string]string{"USERS_ADDR": ":" + port}, 0, nil},
		{"one that is not", []string{"orders"}, here, exitFailed, []string{"mockservices: orders: http://" + nobody + "/livez does not answer"}},
		{"one of each", []string{"users", "orders"}, here, exitFailed, []string{"mockservices: orders: "}},
		{"without names all are asked", nil, here, exitFailed, []string{"identity: ", "; orders: ", "; analytics: "}},
		{"an unknown name", []string{"users", "user"}, here, exitUsage, []string{`"user"`, "--help"}},
		{"an address that is none", []string{"users"}, map[string]string{"USERS_ADDR": "x"}, exitUsage, []string{"USERS_ADDR wants host:port"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, errout strings.Builder
			code := run(t.Context(), append([]string{"healthcheck"}, test.names...), environment(test.env), &out, &errout)
			if code != test.want || out.Len() > 0 {
				t.Errorf("exit %d, want %d; %s", code, test.want, &out)
			}
			if lines := strings.Count(errout.String(), "\n"); lines != min(len(test.says), 1) {
				t.Errorf("%d lines: %s", lines, &errout)
			}
			for _, says := range test.says {
				if !strings.Contains(errout.String(), says) {
					t.Errorf("it says %q, without %q", &errout, says)
				}
			}
			if strings.Contains(errout.String(), "users: ") {
				t.Errorf("it blames one that is there: %s", &errout)
			}
		})
	}
}

func TestAStandInThatIsToldToBreakIsHealthy(t *testing.T) {
	t.Parallel()
	users := startUsers(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, users+"/_faults", strings.NewReader(`{"hang":true}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	var errout strings.Builder
	env := environment(map[string]string{"USERS_ADDR": strings.TrimPrefix(users, "http://")})
	if code := run(t.Context(), []string{"healthcheck", "users"}, env, io.Discard, &errout); code != 0 {
		t.Errorf("exit %d: %s", code, &errout)
	}
}
