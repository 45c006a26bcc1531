package webapp_test

import (
	"net/http"
	"testing"
)

func TestWhoGetsNoSocket(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	stranger := b
	stranger.cookies = map[string]string{}
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
	from := func(origin ...string) []string {
		header := upgrade
		for _, one := range origin {
			header = append(header[:len(header):len(header)], "Origin", one)
		}
		return header
	}
	for _, tt := range []struct {
		name   string
		who    bff
		header []string
		status int
		code   string
	}{
		{"a page of another origin", b, from("https://evil.test"), 403, "origin"},
		{"a page of a sibling host", b, from("https://other.app.test"), 403, "origin"},
		{"a page of another port", b, from(external + ":8443"), 403, "origin"},
		{"a page without TLS", b, from("http://app.test"), 403, "origin"},
		{"a sandboxed page", b, from("null"), 403, "origin"},
		{"who does not say where it comes from", b, from(), 403, "origin"},
		{"who says it twice", b, from(external, "https://evil.test"), 403, "origin"},
		{"a foreign page without a session: the origin comes first", stranger, from("https://evil.test"), 403, "origin"},
		{"our page without a session", stranger, from(external), 401, "no_session"},
		{"our page that asks for no socket", b, []string{"Origin", external}, 426, "upgrade_required"},
		{"our page with an old protocol", b, append(from(external), "Sec-WebSocket-Version", "8"), 426, "upgrade_required"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec := tt.who.ask(t, http.MethodGet, "/web/ws", tt.header...)
			if rec.Code != tt.status || codeOf(rec) != tt.code {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestWithoutRedisThereAreNoSockets(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	b.redis.Close()
	for origin, code := range map[string]string{"https://evil.test": "origin", external: "session_unavailable"} {
		rec := b.ask(t, http.MethodGet, "/web/ws", "Origin", origin, "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		if codeOf(rec) != code {
			t.Errorf("from %s: %d %s", origin, rec.Code, rec.Body)
		}
	}
}
