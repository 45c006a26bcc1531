package session_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/platform/redistest"
)

// without returns a JSON object without some of its members.
func without(t *testing.T, object string, members ...string) string {
	t.Helper()
	var answer map[string]any
	if err := json.Unmarshal([]byte(object), &answer); err != nil {
		t.Fatal(err)
	}
	for _, member := range members {
		delete(answer, member)
	}
	changed, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

func TestWithoutRedisNobodyIsJudgedAndNobodyIsSignedOut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	login := b.get(t, "/login")
	for _, outage := range []struct {
		name        string
		begin, ends func()
	}{
		{"stopped", server.Stop, server.Restart},
		{"frozen", server.Freeze, server.Thaw},
	} {
		outage.begin()
		for _, tt := range []struct{ method, target string }{
			{"GET", "/"},
			{"GET", "/peek"},
			{"POST", "/logout"},
			{"GET", w.provider.Authorize(t, login.Header().Get("Location"), "ada")},
		} {
			begun := time.Now()
			rec := b.do(t, tt.method, tt.target)
			if rec.Code != http.StatusServiceUnavailable || codeOf(t, rec) != "session_unavailable" || rec.Header().Get("Retry-After") == "" || rec.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: %s %s: %d %v %s", outage.name, tt.method, tt.target, rec.Code, rec.Header(), rec.Body)
			}
			t.Logf("%s: %s %.20s answered after %v", outage.name, tt.method, tt.target, time.Since(begun))
		}
		outage.ends()
		back := time.Now()
		for b.get(t, "/").Code == http.StatusServiceUnavailable && time.Since(back) < 10*time.Second {
		}
		t.Logf("%s: signed in again after %v", outage.name, time.Since(back))
		b.see(t, "/")
	}
}

func TestALoginThatRedisInterruptsBeginsAnewByItself(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	at := b.get(t, "/login?returnTo=/there").Header().Get("Location")
	server.Stop()
	person := []string{"Accept", "text/html"}
	for range 2 {
		rec := b.get(t, w.provider.Authorize(t, at, "ada"), person...)
		if at = rec.Header().Get("Location"); rec.Code != http.StatusSeeOther || !strings.HasPrefix(at, issuer+"/authorize?") {
			t.Fatalf("without Redis: %d %q", rec.Code, at)
		}
	}
	last := b.get(t, w.provider.Authorize(t, at, "ada"), person...)
	if where := last.Header().Get("Location"); where != "/?problem=session_unavailable" {
		t.Errorf("at last: %d %q", last.Code, where)
	}
	server.Restart()
	for deadline := time.Now().Add(10 * time.Second); ; {
		rec := b.get(t, w.provider.Authorize(t, at, "ada"), person...)
		if rec.Header().Get("Location") == "/there" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("with Redis: %d %q", rec.Code, rec.Header().Get("Location"))
		}
	}
	b.see(t, "/")
}
