package session_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"bff.internal/shared/platform/redistest"
)

func withoutRefresh(t *testing.T, body string) string {
	t.Helper()
	var answer map[string]any
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	delete(answer, "refresh_token")
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
			{"GET", w.provider.authorize(t, login.Header().Get("Location"), "ada")},
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
