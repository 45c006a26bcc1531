package webapp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
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
			header = append(slices.Clip(header), "Origin", one)
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

func TestASocketHearsOfItsUsersOrdersAndEndsWithItsSession(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	server := httptest.NewServer(b.Handler)
	defer server.Close()
	conn := openSocket(t, server.URL, b.cookies["__Host-session"])
	for _, entry := range [][]string{
		{"user", "grace", "order", `{"id":"o-grace","status":"placed"}`},
		{"user", "ada", "order", `nonsense`},
		{"user", "ada", "order", `{"id":"o-1","status":"placed","placedAt":"2026-11-23T19:00:00+01:00"}`},
		{"user", "ada", "order", `{"id":"o-1","status":"placed","placedAt":"2026-11-23T19:00:00+01:00"}`},
		{"user", "ada", "order", `{"id":"o-1","status":"cancelled"}`},
	} {
		if _, err := b.redis.XAdd("orders:changes", "*", entry); err != nil {
			t.Fatal(err)
		}
	}
	placed := `{"type":"order","order":{"id":"o-1","status":"placed","placedAt":"2026-11-23T18:00:00Z"`
	for _, want := range []string{placed, placed, `{"type":"order","order":{"id":"o-1","status":"cancelled","placedAt":null`} {
		if message := nextChange(t, conn); !strings.Contains(message, want) {
			t.Errorf("%s, want %s", message, want)
		}
	}
	b.call(t, http.MethodPost, "/web/logout")
	ctx, cancel := context.WithTimeout(t.Context(), socketWithin)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			if code := websocket.CloseStatus(err); code != 4501 {
				t.Errorf("after the logout: %v", err)
			}
			return
		}
	}
}

// socketWithin is how long a test waits for what a socket has to bring.
const socketWithin = 10 * time.Second

// openSocket opens a socket as soon as there are any.
func openSocket(t *testing.T, server, cookie string) *websocket.Conn {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {external}, "Cookie": {"__Host-session=" + cookie}}}
	conn, resp, err := websocket.Dial(t.Context(), server+"/web/ws", options)
	for deadline := time.Now().Add(10 * time.Second); err != nil; conn, resp, err = websocket.Dial(t.Context(), server+"/web/ws", options) {
		if resp == nil || resp.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"id":1,"connect":{}}`)); err != nil {
		t.Fatal(err)
	}
	if _, reply, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(reply), `"personal:#ada"`) {
		t.Fatalf("%s %v", reply, err)
	}
	return conn
}

// nextChange returns the next message that is no ping.
func nextChange(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), socketWithin)
	defer cancel()
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.TrimSpace(string(message)); text != "{}" {
			return text
		}
		if err := conn.Write(t.Context(), websocket.MessageText, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
}
