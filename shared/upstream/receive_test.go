package upstream_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// TestAnswersOnTheWire asks a real server, for a scripted answer never says its length.
func TestAnswersOnTheWire(t *testing.T) {
	t.Parallel()
	const limit = 20 << 10
	value := func(size int) string { return `{"id":"` + strings.Repeat("1", size-len(`{"id":""}`)) + `"}` }
	for _, tt := range []struct {
		name, body string
		length     int // announced; 0 means chunked
		kind       upstream.Kind
		conns      int32 // that three calls need
	}{
		{"an answer with a length keeps its connection", value(10), 10, "", 1},
		{"so does one in many pieces", value(limit - 1), limit - 1, "", 1},
		{"so does one without a length", value(10), 0, "", 1},
		{"as much as the limit", value(limit), limit, "", 1},
		{"as much as the limit, without a length", value(limit), 0, "", 1},
		{"one byte more is refused unread", value(limit + 1), limit + 1, upstream.BadAnswer, 3},
		{"more, without a length", value(4 * limit), 0, upstream.BadAnswer, 3},
		{"less than it announced", value(10), 11, upstream.BadAnswer, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if tt.length > 0 {
					w.Header().Set("Content-Length", strconv.Itoa(tt.length))
				}
				for piece := range strings.SplitAfterSeq(tt.body, "11111111") {
					_, _ = io.WriteString(w, piece)
					_ = http.NewResponseController(w).Flush()
				}
			}))
			var conns atomic.Int32
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					conns.Add(1)
				}
			}
			server.Start()
			defer server.Close()
			transport := server.Client().Transport.(*http.Transport) //nolint:forcetypeassert // httptest says so
			transport.MaxConnsPerHost = 1                            // an exchange that is not ended blocks the next
			client := upstream.New(upstream.Config{
				Service: "things", Replicas: upstreamtest.Replicas(t, server.URL), Transport: transport,
				Telemetry: upstreamtest.Telemetry(t), MaxAnswer: limit,
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // its end would end the exchanges too
			defer cancel()
			for range 3 {
				if _, err := get(ctx, client); kindOf(err) != tt.kind || (err == nil) != (tt.kind == "") {
					t.Errorf("error = %v, want %q", err, tt.kind)
				}
			}
			if got := conns.Load(); got != tt.conns {
				t.Errorf("%d connections, want %d", got, tt.conns)
			}
		})
	}
}

// shortened announces more than it gives, which a transport of net/http would say itself.
type shortened struct{}

func (shortened) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: 11, Body: io.NopCloser(strings.NewReader(aValue)),
	}, nil
}

func TestHalfAnAnswerIsNone(t *testing.T) {
	t.Parallel()
	if value, err := get(t.Context(), upstreamtest.Client(t, shortened{})); kindOf(err) != upstream.BadAnswer {
		t.Errorf("Get = %+v, %v; want a bad answer", value, err)
	}
}
