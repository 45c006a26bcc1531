package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/clients/orders"
	"bff.internal/shared/upstream"
)

// allocated is how much f allocates, and everything else that runs meanwhile.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// repeated is a JSON array that holds the value n times.
func repeated(value string, n int) string {
	return "[" + strings.Repeat(value+",", n-1) + value + "]"
}

//nolint:paralleltest // it counts what is allocated meanwhile
func TestNoAnswerCostsMuchMemory(t *testing.T) {
	const mib = 1 << 20
	var tiny strings.Builder // a header of as many names as it has room for
	for i := range 60 << 10 / len("xxxx:\r\n") {
		fmt.Fprintf(&tiny, "%04x:\r\n", i)
	}
	for _, tt := range []struct {
		name   string
		answer rawAnswer
		most   uint64
	}{
		{"an endless body", rawAnswer{first: ok200 + "\r\n", again: kilobyte}, mib},
		{"endless chunks", rawAnswer{first: chunked, again: strings.Repeat("1\r\n \r\n", 200)}, mib},
		{"an endless error", rawAnswer{first: "HTTP/1.1 500 No\r\n\r\n", again: kilobyte}, mib / 8},
		{"a compressed bomb", rawAnswer{first: ok200 + "Content-Encoding: gzip\r\n\r\n", again: kilobyte}, mib / 8},
		{"a length that nothing comes of", rawAnswer{first: ok200 + "Content-Length: 262144\r\n\r\n"}, mib / 8},
		{"an endless header", rawAnswer{first: ok200, again: "Filler: " + kilobyte + "\r\n"}, mib},
		{"an endless line of a header", rawAnswer{first: ok200 + "Filler: ", again: kilobyte}, mib},
		{"a header of tiny lines", rawAnswer{first: ok200 + tiny.String() + "\r\n", again: kilobyte}, 4 * mib},
		{"endless hints", rawAnswer{again: "HTTP/1.1 103\r\n\r\n"}, 8 * mib},
		{"endless trailers", rawAnswer{first: chunked + lastChunk, again: "Filler: " + kilobyte + "\r\n"}, mib / 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(tt.answer)
			defer w.end()
			client := w.client(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var err error
			if got := allocated(func() { _, err = get(ctx, client) }); got > tt.most {
				t.Errorf("%d bytes were allocated, want at most %d", got, tt.most)
			} else {
				t.Log(got)
			}
			if e, ok := errors.AsType[*upstream.Error](err); !ok || e.Kind != upstream.BadAnswer {
				t.Errorf("error = %v, want a bad answer", err)
			}
		})
	}
}

//nolint:paralleltest // it counts what is allocated meanwhile
func TestNoAnswerGrowsMuchByBeingDecoded(t *testing.T) {
	const most = 8 << 20
	filler := strings.Repeat("x", 20)
	for _, tt := range []struct {
		name, body string
		refused    bool
	}{
		{name: "as many empty objects as pass", body: repeated("{}", 10_000)},
		{name: "as many nulls", body: repeated("null", 10_000)},
		{name: "empty objects inside of one", body: `[{"items":` + repeated("{}", 9_999) + `}]`},
		{name: "a list in each", body: repeated(`{"items":[{}]}`, 4_999)},
		{name: "a text in each", body: repeated(`{"id":"`+filler+`"}`, 6_666)},
		{name: "members that nobody knows", body: repeated(`{"`+filler+`":1}`, 6_666)},
		{name: "one great text", body: `[{"id":"` + strings.Repeat("x", 256_000) + `"}]`},
		{name: "as many empty objects as there is room for", body: repeated("{}", 80_000), refused: true},
		{name: "as many nulls as there is room for", body: repeated("null", 50_000), refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(rawAnswer{first: ok200 + "Content-Length: " + strconv.Itoa(len(tt.body)) + "\r\n\r\n" + tt.body})
			defer w.end()
			client := w.client(t)
			var err error
			got := allocated(func() { _, err = upstream.Get[[]orders.Order](t.Context(), client, aThing) })
			if (err != nil) != tt.refused {
				t.Errorf("error = %v, want one: %v", err, tt.refused)
			}
			if got > most || tt.refused && got > most/8 {
				t.Errorf("%d bytes were allocated", got)
			} else {
				t.Log(got)
			}
		})
	}
}
