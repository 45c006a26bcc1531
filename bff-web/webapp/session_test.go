package webapp_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/session"
)

// guarded is every route that trusts the session's cookie, but for the socket.
var guarded = []struct{ method, path string }{
	{"GET", "/web/dashboard"}, {"GET", "/api/dashboard"}, {"GET", "/web/session"}, {"POST", "/web/logout"},
}

func TestTheSession(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	rec := b.call(t, http.MethodGet, "/web/session")
	var said struct {
		User              struct{ ID, Name string }
		ExpiresAt, EndsAt time.Time
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &said); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if idle, all := time.Until(said.ExpiresAt), time.Until(said.EndsAt); said.User.ID != "ada" || said.User.Name != "Name of ada" ||
		idle > 30*time.Minute || idle < 29*time.Minute || all > 12*time.Hour || all < 12*time.Hour-time.Minute {
		t.Errorf("%s", rec.Body)
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", rec.Header().Get("Cache-Control"))
	}
	b.redis.FastForward(10 * time.Minute)
	before := b.call(t, http.MethodGet, "/web/session").Body.String()
	b.call(t, http.MethodGet, "/web/session")
	if after := b.call(t, http.MethodGet, "/web/session").Body.String(); len(before) != len(after) || strings.Contains(after, said.ExpiresAt.Format(time.RFC3339)) {
		t.Errorf("asking prolonged it: %s", after)
	}
	b.call(t, http.MethodGet, "/web/dashboard")
	rec = b.call(t, http.MethodGet, "/web/session")
	if err := json.Unmarshal(rec.Body.Bytes(), &said); err != nil || time.Until(said.ExpiresAt) < 29*time.Minute {
		t.Errorf("a dashboard did not prolong it: %s", rec.Body)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	cookie := b.cookies["__Host-session"]
	rec := b.call(t, http.MethodPost, "/web/logout")
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), issuer+"/bye") || b.cookies["__Host-session"] != "" {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	b.cookies["__Host-session"] = cookie
	for _, route := range guarded[:3] {
		if rec := b.call(t, route.method, route.path); rec.Code != http.StatusUnauthorized {
			t.Errorf("%s with the old cookie: %d", route.path, rec.Code)
		}
	}
	if rec := b.call(t, http.MethodPost, "/web/logout"); rec.Code != http.StatusOK {
		t.Errorf("once more: %d", rec.Code)
	}
}

func TestWithoutTheHeaderNothingIsAnswered(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	b.redis.Close() // nobody may even look
	for _, route := range guarded {
		for name, header := range map[string][]string{
			"no X-CSRF":               nil,
			"a form of a sibling":     {"Origin", "https://other.app.test", "Sec-Fetch-Site", "same-site", "Content-Type", "application/x-www-form-urlencoded"},
			"a fetch of another site": {session.CSRFHeader, "1", "Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"},
			"a fetch of a sibling":    {session.CSRFHeader, "1", "Origin", "https://other.app.test", "Sec-Fetch-Site", "same-site"},
		} {
			rec := b.ask(t, route.method, route.path, header...)
			if rec.Code != http.StatusForbidden || codeOf(rec) != "csrf" {
				t.Errorf("%s: %s: %d %s", route.path, name, rec.Code, rec.Body)
			}
		}
	}
	if len(b.provider.Requests()) > 3 { // those of the login
		t.Error("somebody was asked")
	}
}

func TestWithoutASessionNothingIsAnswered(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	for _, route := range guarded[:3] {
		rec := b.call(t, route.method, route.path)
		if rec.Code != http.StatusUnauthorized || codeOf(rec) != "no_session" || rec.Header().Get("WWW-Authenticate") != `Cookie realm="bff-web"` {
			t.Errorf("%s: %d %v %s", route.path, rec.Code, rec.Header(), rec.Body)
		}
	}
	if len(b.provider.Requests()) > 0 {
		t.Error("somebody was asked")
	}
}

func TestWithoutRedisNobodyIsJudged(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	cookie := b.cookies["__Host-session"]
	b.redis.Close()
	for _, route := range guarded {
		rec := b.call(t, route.method, route.path)
		if rec.Code != http.StatusServiceUnavailable || codeOf(rec) != "session_unavailable" || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", route.path, rec.Code, rec.Body)
		}
		if rec.Header().Get("Set-Cookie") != "" || b.cookies["__Host-session"] != cookie {
			t.Errorf("%s touches the cookie", route.path)
		}
	}
	for _, path := range []string{"/web/", "/web/login", "/web/openapi.yaml"} {
		if rec := b.ask(t, http.MethodGet, path); rec.Code >= http.StatusInternalServerError {
			t.Errorf("%s needs Redis: %d", path, rec.Code)
		}
	}
}
