package realtime_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/problem"
)

func TestWhatDoesNotBecomeASocket(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"a page of ours", nil, 101, ""},
		{"another page of ours", []string{"Origin: http://localhost:8080"}, 101, ""},
		{"a list of connection options", []string{"Connection: upgrade,keep-alive"}, 101, ""},

		{"no origin", []string{"Origin:"}, 403, "origin"},
		{"an empty origin", []string{"Origin: "}, 403, "origin"},
		{"the origin of a sandbox or a file", []string{"Origin: null"}, 403, "origin"},
		{"a foreign page", []string{"Origin: https://evil.example"}, 403, "origin"},
		{"a page whose name begins like ours", []string{"Origin: https://shop.example.evil.example"}, 403, "origin"},
		{"a page below ours", []string{"Origin: https://x.shop.example"}, 403, "origin"},
		{"ours in another case", []string{"Origin: https://Shop.example"}, 403, "origin"},
		{"ours without encryption", []string{"Origin: http://shop.example"}, 403, "origin"},
		{"ours on another port", []string{"Origin: https://shop.example:8443"}, 403, "origin"},
		{"ours with the port that goes without saying", []string{"Origin: https://shop.example:443"}, 403, "origin"},
		{"ours with a dot at the end", []string{"Origin: https://shop.example."}, 403, "origin"},
		{"ours with a slash at the end", []string{"Origin: https://shop.example/"}, 403, "origin"},
		{"ours with somebody's name", []string{"Origin: https://evil@shop.example"}, 403, "origin"},
		{"ours and another", []string{"Origin: +https://evil.example"}, 403, "origin"},
		{"ours twice", []string{"Origin: +" + page}, 403, "origin"},
		{"two in one header", []string{"Origin: " + page + ", https://evil.example"}, 403, "origin"},
		{"the origin is judged first of all", []string{"Origin:", "Upgrade:", "X-User:"}, 403, "origin"},

		{"an ordinary request", []string{"Upgrade:", "Connection:"}, 426, "upgrade_required"},
		{"an upgrade to something else", []string{"Upgrade: h2c"}, 426, "upgrade_required"},
		{"an upgrade that the connection does not announce", []string{"Connection: keep-alive"}, 426, "upgrade_required"},
		{"an old version", []string{"Sec-WebSocket-Version: 8"}, 426, "upgrade_required"},
		{"no version", []string{"Sec-WebSocket-Version:"}, 426, "upgrade_required"},
		{"two versions", []string{"Sec-WebSocket-Version: +8"}, 426, "upgrade_required"},
		{"no key", []string{"Sec-WebSocket-Key:"}, 400, "invalid_handshake"},
		{"a short key", []string{"Sec-WebSocket-Key: AAAA"}, 400, "invalid_handshake"},
		{"a key that is not base64", []string{"Sec-WebSocket-Key: ????????????????????????"}, 400, "invalid_handshake"},
		{"two keys", []string{"Sec-WebSocket-Key: +dGhlIHNhbXBsZSBub25jZQ=="}, 400, "invalid_handshake"},
		{"nobody", []string{"X-User:"}, 401, "session_required"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, resp := shake(t, r.addr, tt.headers...)
			defer b.leave()
			if resp.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d", resp.StatusCode, tt.status)
			}
			switch tt.status {
			case http.StatusSwitchingProtocols:
				return
			case http.StatusUpgradeRequired:
				if h := resp.Header; h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" || h.Get("Sec-Websocket-Version") != "13" {
					t.Errorf("headers: %v", h)
				}
			case http.StatusUnauthorized:
				if resp.Header.Get("Www-Authenticate") == "" {
					t.Error("no WWW-Authenticate")
				}
			}
			checkProblem(t, resp, tt.code)
		})
	}
}

func checkProblem(t *testing.T, resp *http.Response, code string) {
	t.Helper()
	var p problem.Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Code != code || p.Status != resp.StatusCode || p.Title != http.StatusText(p.Status) || p.Detail == "" ||
		resp.Header.Get("Content-Type") != problem.ContentType {
		t.Errorf("%v with %+v, want the code %s", resp.Header, p, code)
	}
}

func TestTheSubprotocolIsChosenWhenItIsOffered(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	for _, tt := range []struct{ name, offered, chosen string }{
		{"none", "", ""},
		{"JSON", "Sec-WebSocket-Protocol: centrifuge-json", "centrifuge-json"},
		{"JSON among others", "Sec-WebSocket-Protocol: centrifuge-protobuf, centrifuge-json", "centrifuge-json"},
		{"another encoding, which is not spoken here", "Sec-WebSocket-Protocol: centrifuge-protobuf", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if tt.offered != "" {
				headers = append(headers, tt.offered)
			}
			b, resp := shake(t, r.addr, headers...)
			defer b.leave()
			if got := resp.Header.Get("Sec-Websocket-Protocol"); resp.StatusCode != http.StatusSwitchingProtocols || got != tt.chosen {
				t.Errorf("%d with %q, want %q", resp.StatusCode, got, tt.chosen)
			}
		})
	}
}
