package upstream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
)

// answersOnTheWire are raw answers, and what becomes of each within a second.
var answersOnTheWire = []struct {
	name   string
	answer rawAnswer
	kind   upstream.Kind // "" means that the value arrives
	status int           // of the Error
	after  time.Duration // when it is judged
	taken  int64         // bytes at most, if it has no end of its own
}{
	{name: "a value", answer: rawAnswer{first: sized, stays: true}},
	{name: "a value in chunks", answer: rawAnswer{first: chunked + lastChunk + "\r\n", stays: true}},
	{name: "a value that ends with its connection", answer: rawAnswer{first: "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + aValue}},
	{name: "a value after hints", answer: rawAnswer{first: hint + hint + sized, stays: true}},
	{name: "more than the length says belongs to nobody", answer: rawAnswer{first: sized + sized}},
	{name: "a media type in another spelling", answer: rawAnswer{first: "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON ;charset=utf-8\r\nContent-Length: 10\r\n\r\n" + aValue, stays: true}},
	{name: "a media type with a suffix in another spelling", answer: rawAnswer{first: "HTTP/1.1 200 OK\r\nContent-Type: application/thing+JSON\r\nContent-Length: 10\r\n\r\n" + aValue, stays: true}},
	{name: "the coding identity is none", answer: rawAnswer{first: ok200 + "Content-Encoding: Identity\r\nContent-Length: 10\r\n\r\n" + aValue, stays: true}},

	{name: "a coding is refused unread", answer: rawAnswer{first: ok200 + "Content-Encoding: gzip\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 10 << 10},
	{name: "a coding behind none is refused", answer: rawAnswer{first: ok200 + "Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 10\r\n\r\n" + aValue}, kind: upstream.BadAnswer, status: 200},
	{name: "what is no JSON is refused unread", answer: rawAnswer{first: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 10 << 10},
	{name: "JSON lines are no JSON", answer: rawAnswer{first: "HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\nContent-Length: 10\r\n\r\n" + aValue}, kind: upstream.BadAnswer, status: 200},
	{name: "what says nothing of its type is refused unread", answer: rawAnswer{first: "HTTP/1.1 200 OK\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 10 << 10},
	{name: "too great a length is refused unread", answer: rawAnswer{first: ok200 + "Content-Length: 1000000000000\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 10 << 10},
	{name: "an endless answer is cut at the limit", answer: rawAnswer{first: ok200 + "\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 600 << 10},
	{name: "endless chunks are cut at the limit", answer: rawAnswer{first: chunked, again: strings.Repeat("1\r\n \r\n", 200)}, kind: upstream.BadAnswer, status: 200, taken: 3 << 20},
	{name: "a body that trickles ends at the deadline", answer: rawAnswer{first: ok200 + "\r\n", again: " ", every: 10 * time.Millisecond}, kind: upstream.Timeout, status: 200, after: time.Second},
	{name: "a body cut short", answer: rawAnswer{first: ok200 + "Content-Length: 11\r\n\r\n" + aValue}, kind: upstream.BadAnswer, status: 200},
	{name: "a chunk cut short", answer: rawAnswer{first: chunked + "a\r\n{"}, kind: upstream.BadAnswer, status: 200},
	{name: "no last chunk", answer: rawAnswer{first: chunked + "a\r\n" + aValue + "\r\n"}, kind: upstream.BadAnswer, status: 200},
	{name: "an extension of a chunk without an end", answer: rawAnswer{first: chunked + "a;", again: kilobyte}, kind: upstream.BadAnswer, status: 200, taken: 64 << 10},
	{name: "chunks that are all extension", answer: rawAnswer{first: chunked, again: "1;" + kilobyte + "\r\n \r\n"}, kind: upstream.BadAnswer, status: 200, taken: 64 << 10},
	{name: "trailers without an end", answer: rawAnswer{first: chunked + lastChunk, again: "Filler: " + kilobyte + "\r\n"}, kind: upstream.BadAnswer, status: 200, taken: 64 << 10},

	{name: "a page without an end is no matter beside its status", answer: rawAnswer{first: "HTTP/1.1 503 Away\r\nContent-Encoding: gzip\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 503, taken: 10 << 10},
	{name: "a great page is not read", answer: rawAnswer{first: "HTTP/1.1 503 Away\r\nContent-Length: 1000000\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 503, taken: 10 << 10},
	{name: "a page that was announced and does not come is not waited for", answer: rawAnswer{first: "HTTP/1.1 503 Away\r\nContent-Length: 100\r\n\r\n", stays: true}, kind: upstream.BadAnswer, status: 503, after: 20 * time.Millisecond},
	{name: "a page that trickles is not waited for", answer: rawAnswer{first: "HTTP/1.1 404 No\r\nContent-Length: 4000\r\n\r\n", again: ".", every: time.Millisecond}, kind: upstream.Denied, status: 404, after: 20 * time.Millisecond},
	{name: "a page cut short is no matter", answer: rawAnswer{first: "HTTP/1.1 429 Busy\r\nContent-Length: 100\r\n\r\n."}, kind: upstream.Shed, status: 429},
	{name: "a redirect with a body", answer: rawAnswer{first: "HTTP/1.1 302 There\r\nLocation: http://evil.test/\r\nContent-Length: 1\r\n\r\n.", stays: true}, kind: upstream.BadAnswer, status: 302},
	{name: "no content", answer: rawAnswer{first: "HTTP/1.1 204 None\r\n\r\n", stays: true}, kind: upstream.BadAnswer, status: 204},
	{name: "a part of a value", answer: rawAnswer{first: "HTTP/1.1 206 Part\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n" + aValue, stays: true}, kind: upstream.BadAnswer, status: 206},
	{name: "another protocol that nobody asked for", answer: rawAnswer{first: "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", again: kilobyte}, kind: upstream.BadAnswer, status: 101, taken: 10 << 10},

	{name: "hints without an end", answer: rawAnswer{again: hint}, kind: upstream.BadAnswer, taken: 80 << 10},
	{name: "hints that trickle end at the deadline", answer: rawAnswer{again: hint, every: 10 * time.Millisecond}, kind: upstream.Timeout, after: time.Second},
	{name: "a header without an end", answer: rawAnswer{first: ok200, again: "Filler: " + kilobyte + "\r\n"}, kind: upstream.BadAnswer, taken: 80 << 10},
	{name: "a line of a header without an end", answer: rawAnswer{first: ok200 + "Filler: ", again: kilobyte}, kind: upstream.BadAnswer, taken: 80 << 10},
	{name: "a status line without an end", answer: rawAnswer{first: "HTTP/1.1 200 ", again: kilobyte}, kind: upstream.BadAnswer, taken: 80 << 10},
	{name: "a header that trickles ends at the deadline", answer: rawAnswer{first: ok200 + "Filler: ", again: "x", every: 10 * time.Millisecond}, kind: upstream.Timeout, after: time.Second},
	{name: "a header cut short", answer: rawAnswer{first: ok200}, kind: upstream.BadAnswer},
	{name: "nothing", answer: rawAnswer{}, kind: upstream.BadAnswer},
	{name: "nothing, and no end", answer: rawAnswer{stays: true}, kind: upstream.Timeout, after: time.Second},
	{name: "no HTTP", answer: rawAnswer{first: "SSH-2.0-hunter2\r\n"}, kind: upstream.BadAnswer},
	{name: "HTTP/0.9", answer: rawAnswer{first: aValue}, kind: upstream.BadAnswer},
	{name: "two lengths", answer: rawAnswer{first: ok200 + "Content-Length: 9\r\nContent-Length: 10\r\n\r\n" + aValue}, kind: upstream.BadAnswer},
	{name: "a negative length", answer: rawAnswer{first: ok200 + "Content-Length: -1\r\n\r\n" + aValue}, kind: upstream.BadAnswer},
	{name: "a transfer coding that nobody asked for", answer: rawAnswer{first: ok200 + "Transfer-Encoding: gzip, chunked\r\n\r\n"}, kind: upstream.BadAnswer},
}

func TestEveryAnswerIsJudgedAsEarlyAsItCanBe(t *testing.T) {
	t.Parallel()
	for _, tt := range answersOnTheWire {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWire(tt.answer)
				defer w.end()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begun := time.Now()
				value, err := get(ctx, w.client(t))
				if took := time.Since(begun); took != tt.after {
					t.Errorf("judged after %v, want %v", took, tt.after)
				}
				if tt.kind == "" {
					if err != nil || value.ID != "1" {
						t.Errorf("Get = %+v, %v; want the value", value, err)
					}
					return
				}
				e, _ := errors.AsType[*upstream.Error](err)
				if e == nil || e.Kind != tt.kind || e.Status != tt.status {
					t.Errorf("error = %v, want %s with status %d", err, tt.kind, tt.status)
				}
				w.end()
				if taken := w.out.Load(); tt.taken > 0 && taken > tt.taken {
					t.Errorf("%d bytes were taken, want at most %d", taken, tt.taken)
				}
			})
		})
	}
}

// TestConnectionsThatAreKept counts what ten calls need.
func TestConnectionsThatAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, answer string
		dials        int64
	}{
		{"after a value", sized, 1},
		{"after an error without a body", "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", 1},
		{"after an error with a small body", "HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\n" + kilobyte, 1},
		{"after an error with a small body in chunks", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n" + "1\r\n.\r\n0\r\n\r\n", 1},
		{"not after an error with chunks that do not come", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n" + "1388\r\n.", 10},
		{"not after one that says it is long", "HTTP/1.1 404 No\r\nContent-Length: 5000\r\n\r\n", 10},
		{"not after a value that was refused", ok200 + "Content-Encoding: br\r\nContent-Length: 10\r\n\r\n" + aValue, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWire(rawAnswer{first: tt.answer, stays: true})
				defer w.end()
				client := w.client(t)
				for range 10 {
					_, _ = get(t.Context(), client)
					synctest.Wait() // for what becomes of the connection
				}
				if dials := w.dials.Load(); dials != tt.dials {
					t.Errorf("%d connections, want %d", dials, tt.dials)
				}
			})
		})
	}
}
