package web_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/web"
)

func TestEveryRequestIsOneEventInTheLog(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	for _, tt := range []struct {
		name, target, id string
		want             map[string]any
		says             string // in the member error
	}{
		{
			"an answer", "/things/1", "answer",
			map[string]any{"level": "INFO", "route": "/things/:id", "method": "GET", "status": 200.0, "bytes": 1.0, "clientIp": "127.0.0.1"},
			"",
		},
		{
			"a path that nobody took has no route", "/nothing/" + strings.Repeat("x", 500), "nothing",
			map[string]any{"level": "INFO", "route": "", "status": 404.0},
			"",
		},
		{
			"an error is logged with its cause", "/broken", "broken",
			map[string]any{"level": "ERROR", "route": "/broken", "status": 500.0},
			"10.0.0.7",
		},
		{
			"a panic is logged with its place", "/panic", "panic",
			map[string]any{"level": "ERROR", "route": "/panic", "status": 500.0},
			"web_test.go:",
		},
		{
			"a refusal by middleware names its route", "/guarded", "guarded",
			map[string]any{"level": "INFO", "route": "/guarded", "status": 401.0},
			"missing_token",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, _ := e.ask(t, "GET", tt.target, "X-Request-Id: "+tt.id, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
			if got := resp.Header.Get("X-Request-Id"); got != tt.id {
				t.Errorf("X-Request-Id = %q, want the caller's", got)
			}
			event := e.log.last(t, tt.id)
			tt.want["msg"], tt.want["service"] = "request", "test"
			tt.want["traceId"] = "0af7651916cd43dd8448eb211c80319c"
			for name, want := range tt.want {
				if diff := cmp.Diff(want, event[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if said, _ := event["error"].(string); !strings.Contains(said, tt.says) {
				t.Errorf("error = %q, want it to say %q", said, tt.says)
			}
			if _, ok := event["ms"].(float64); !ok {
				t.Errorf("ms = %v", event["ms"])
			}
		})
	}
}

func TestWhatACallerSaysCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	for _, tt := range []struct{ name, header string }{
		{"a request id that is too long", "X-Request-Id: " + strings.Repeat("x", 65)},
		{"a request id of other characters", `X-Request-Id: a"b<c>`},
		{"a malformed traceparent", "traceparent: 00-xyz-1-01"},
		{"an address that nobody vouches for", "X-Forwarded-For: 6.6.6.6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, _ := e.ask(t, "GET", "/things/1", tt.header)
			id := resp.Header.Get("X-Request-Id")
			if len(id) != 32 {
				t.Errorf("X-Request-Id = %q, want one of ours", id)
			}
			event := e.log.last(t, id)
			if event["clientIp"] != "127.0.0.1" || event["traceId"] != id {
				t.Errorf("clientIp = %v, traceId = %v", event["clientIp"], event["traceId"])
			}
		})
	}
}

func TestAnAddressForwardedByATrustedProxyCounts(t *testing.T) {
	t.Parallel()
	e := newEdge(t, func(cfg *web.Config) { cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	e.ask(t, "GET", "/things/1", "X-Request-Id: forwarded", "X-Forwarded-For: 6.6.6.6, 203.0.113.7")
	if got := e.log.last(t, "forwarded")["clientIp"]; got != "203.0.113.7" {
		t.Errorf("clientIp = %v, want the last address before our proxy", got)
	}
}
