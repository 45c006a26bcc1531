package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bff.internal/devstack/stack"
	"bff.internal/mockservices/identity"
	"bff.internal/shared/platform"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the OpenID library announces its routes
	goleak.VerifyTestMain(m)
}

// startSuite runs a suite until the test ends.
func startSuite(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.FreePorts())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startCredentials serves the credentials of the suite, and returns where and how that is ended.
func startCredentials(t *testing.T, s *stack.Stack) (addr string, end func()) {
	t.Helper()
	lines, log := io.Pipe()
	cfg := credentialsConfig{Log: log}
	cfg.Credentials.Password = identity.DevPassword
	err := platform.Load(&cfg, []string{
		"ADDR=127.0.0.1:0", "ISSUER=" + s.Issuer, "ISSUER_INTERNAL_URL=" + s.Identity,
		"REDIS_URL=" + s.RedisURL.Reveal(), "KEY_PEPPER=" + stack.DevPepper,
		"EDGE_URL=" + strings.Replace(s.Edge, "127.0.0.1", "localhost", 1), "EDGE_INTERNAL_URL=" + s.Edge,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := serveCredentials(ctx, cfg)
		_ = log.Close()
		ended <- err
	}()
	said := bufio.NewScanner(lines)
	if !said.Scan() {
		t.Fatal(<-ended)
	}
	var line struct{ Msg, URL string }
	if err := json.Unmarshal(said.Bytes(), &line); err != nil || line.Msg != "listening" {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	return strings.TrimPrefix(line.URL, "http://"), func() {
		stop()
		for said.Scan() { // so that nobody waits to be read
		}
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	}
}

func get(t *testing.T, url string, header ...string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func TestCredentialsFromBesideTheSuiteOpenItsDashboards(t *testing.T) {
	t.Parallel()
	s := startSuite(t)
	addr, end := startCredentials(t, s)
	defer end()
	var got struct {
		Mobile  struct{ Token string }
		Partner struct{ Key string }
		Cookie  string
	}
	for _, path := range []string{"/dev/credentials?user=grace", "/dev/session?user=grace"} {
		if status, body := get(t, "http://"+addr+path); status != http.StatusOK || json.Unmarshal([]byte(body), &got) != nil {
			t.Fatalf("%s: %d %s", path, status, body)
		}
	}
	for _, tt := range []struct {
		path, user string
		header     []string
	}{
		{"/mobile/dashboard", "grace", []string{"Authorization", "Bearer " + got.Mobile.Token}},
		{"/web/dashboard", "grace", []string{"Cookie", got.Cookie, "X-CSRF", "1"}},
		{"/partner/v1/dashboard", "acme", []string{"X-API-Key", got.Partner.Key}},
	} {
		if status, body := get(t, s.Edge+tt.path, tt.header...); status != http.StatusOK || !strings.HasPrefix(body, `{"user":{"id":"`+tt.user+`"`) {
			t.Errorf("%s: %d %.200s", tt.path, status, body)
		}
	}
}

func TestWhatServesCredentialsIsHealthyUntilItEnds(t *testing.T) {
	t.Parallel()
	addr, end := startCredentials(t, startSuite(t))
	asked := listenConfig{Addr: addr}
	if err := healthcheck(t.Context(), asked); err != nil {
		t.Error(err)
	}
	end()
	if err := healthcheck(t.Context(), asked); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAnAddressThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	for _, environ := range []string{"ADDR=8084", "ADDR=localhost:http", "ADDR=:65536"} {
		err := platform.Load(&credentialsConfig{}, []string{environ, "REDIS_URL=redis://localhost:6379", "KEY_PEPPER=" + stack.DevPepper})
		if err == nil || !strings.HasPrefix(err.Error(), "ADDR: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", environ, err)
		}
	}
}
