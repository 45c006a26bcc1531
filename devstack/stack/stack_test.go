package stack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bff.internal/devstack/stack"
	"bff.internal/shared/problem"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the OpenID library announces its routes
	goleak.VerifyTestMain(m)
}

func start(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.FreePorts())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get sends the target as it stands, however odd.
func get(t *testing.T, server, target string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = target
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestTheEdge(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tt := range []struct {
		name, path, says string
		status           int
	}{
		{"the root leads to the page", "/", "", 302},
		{"bff-mobile", "/mobile/openapi.yaml", "title: Mobile BFF", 200},
		{"bff-web", "/web/openapi.yaml", "title: Web BFF", 200},
		{"bff-partner", "/partner/openapi.yaml", "title: Partner BFF", 200},
		{"the API of bff-web is its own to judge", "/api/nothing", "traceId", 404},
		{"a BFF judges its own paths", "/mobile/nothing", "not_found", 404},
		{"a prefix is a whole segment", "/mobiles/openapi.yaml", "below /mobile, /web, /api and /partner", 404},
		{"a path of nobody", "/nothing", "below /mobile, /web, /api and /partner", 404},
		{"tricks arrive as they were sent, and are refused", "/mobile/x/..%2fopenapi.yaml", "invalid_path", 400},
		{"also beside a character that has to be escaped", `/mobile/a%2f|`, "invalid_path", 400},
		{"so are empty segments", "/mobile//openapi.yaml", "invalid_path", 400},
		{"nothing of an admin listener is public", "/mobile/metrics", "not_found", 404},
		{"credentials of the demo user", "/dev/credentials", `{"mobile":{"token":"ey`, 200},
		{"credentials of another user", "/dev/credentials?user=grace", `{"mobile":{"token":"ey`, 200},
		{"what a person types", "/dev/credentials?user=grace", `"web":{"username":"grace","password":"demo"}`, 200},
		{"a session of the demo user", "/dev/session", `{"cookie":"__Host-session=`, 200},
		{"a session of nobody", "/dev/session?user=", "invalid_user", 400},
		{"the page of bff-web", "/web/", "<!doctype html>", 200},
		{"credentials of nobody", "/dev/credentials?user=", "invalid_user", 400},
		{"credentials of something else", "/dev/credentials?user=a%20b", "invalid_user", 400},
		{"nothing else is below /dev", "/dev/livez", "not_found", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := get(t, s.Edge, tt.path)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%d %.200s, want %d and %q", resp.StatusCode, body, tt.status, tt.says)
			}
			if resp.StatusCode >= http.StatusBadRequest && resp.Header.Get("Content-Type") != problem.ContentType {
				t.Errorf("Content-Type = %q", resp.Header.Get("Content-Type"))
			}
		})
	}
}

func TestCredentialsOpenTheDashboardOfTheirUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, user := range []string{"ada", "grace", "u-1000000"} {
		_, body := get(t, s.Edge, "/dev/credentials?user="+user)
		var credentials struct{ Mobile struct{ Token string } }
		if err := json.Unmarshal([]byte(body), &credentials); err != nil {
			t.Fatal(err)
		}
		resp, body := get(t, s.Edge, "/mobile/dashboard", "Authorization", "Bearer "+credentials.Mobile.Token)
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(body, `{"user":{"id":"`+user+`"`) {
			t.Errorf("dashboard of %s: %d %.200s", user, resp.StatusCode, body)
		}
	}
}

func TestOnlyThisMachineGetsCredentials(t *testing.T) {
	t.Parallel()
	s := start(t)
	for host, status := range map[string]int{"localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "evil.example": 421, "localhost.evil.example:8080": 421} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Edge+"/dev/credentials", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, resp.StatusCode, status)
		}
	}
}

func TestASessionOpensTheDashboardOfItsUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, user := range []string{"ada", "u-1000000"} {
		_, body := get(t, s.Edge, "/dev/session?user="+user)
		var session struct{ Cookie string }
		if err := json.Unmarshal([]byte(body), &session); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		resp, body := get(t, s.Edge, "/web/dashboard", "Cookie", session.Cookie, "X-CSRF", "1")
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(body, `{"user":{"id":"`+user+`"`) {
			t.Errorf("dashboard of %s: %d %.200s", user, resp.StatusCode, body)
		}
	}
}

func TestWithoutIdentityThereAreNoCredentials(t *testing.T) {
	t.Parallel()
	s := start(t)
	fault, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.Identity+"/_faults", strings.NewReader(`{"status":503}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(fault)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, path := range []string{"/dev/credentials", "/dev/session"} {
		if resp, body := get(t, s.Edge, path); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, `"code":"sign_in_failed"`) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}

func TestACookieOf100KBIsRefusedUnread(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, server := range []string{s.Edge, s.Web} {
		for _, path := range []string{"/web/session", "/web/callback", "/web/"} {
			resp, _ := get(t, server, path, "X-CSRF", "1", "Cookie", "__Host-session="+strings.Repeat("A", 100_000))
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s%s: %s", server, path, resp.Status)
			}
		}
	}
}

func TestAPortThatIsTakenIsOneLineThatSaysWhatToChange(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()
	for variable, take := range map[string]func(*stack.Config){
		"EDGE_ADDR":         func(c *stack.Config) { c.Edge = addr },
		"MOBILE_ADDR":       func(c *stack.Config) { c.Mobile = addr },
		"MOBILE_ADMIN_ADDR": func(c *stack.Config) { c.MobileAdmin = addr },
		"WEB_ADDR":          func(c *stack.Config) { c.Web = addr },
		"PARTNER_ADDR":      func(c *stack.Config) { c.Partner = addr },
		"IDENTITY_ADDR":     func(c *stack.Config) { c.Identity = addr },
		"USERS_ADDR":        func(c *stack.Config) { c.Users = addr },
		"ORDERS_ADDR":       func(c *stack.Config) { c.Orders = addr },
		"ANALYTICS_ADDR":    func(c *stack.Config) { c.Analytics = addr },
	} {
		cfg := stack.FreePorts()
		take(&cfg)
		s, err := stack.Start(t.Context(), cfg)
		if err == nil {
			t.Errorf("%s: started on %s, which is taken", variable, addr)
			_ = s.Close()
			continue
		}
		if text := err.Error(); !strings.Contains(text, addr) || !strings.Contains(text, "set "+variable) || strings.Contains(text, "\n") {
			t.Errorf("%s: %q, want one line that names the address and the variable", variable, text)
		}
	}
}

func TestNonsenseInTheConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	cfg := stack.FreePorts()
	cfg.Mobile, cfg.Users = "8081", "localhost:http"
	err := fmt.Sprint(cfg.Validate())
	if !strings.Contains(err, `MOBILE_ADDR: "8081"`) || !strings.Contains(err, `USERS_ADDR: "localhost:http"`) || strings.Count(err, "\n") != 1 {
		t.Errorf("error = %v, want a line for each of the two", err)
	}
}

func TestTheBannerSaysWhatRuns(t *testing.T) {
	t.Parallel()
	s := start(t)
	var banner strings.Builder
	s.Banner(&banner)
	for _, url := range []string{s.Edge + "/web/", "the password demo", s.Mobile, s.MobileAdmin, s.Web, s.Partner, s.Issuer, s.Users, s.Orders, s.Analytics} {
		if want := strings.Replace(url, "127.0.0.1", "localhost", 1); !strings.Contains(banner.String(), want) {
			t.Errorf("the banner lacks %s:\n%s", want, &banner)
		}
	}
}
