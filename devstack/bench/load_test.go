package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, n int64)
		sent   int64
		err    string
	}{
		{name: "as many requests as asked for", answer: func(http.ResponseWriter, int64) {}, sent: 500},
		{
			name: "a status that is not 200 ends it", err: "answered 503: busy",
			answer: func(w http.ResponseWriter, n int64) {
				if n > 100 {
					w.WriteHeader(http.StatusServiceUnavailable)
					_, _ = w.Write([]byte("busy"))
				}
			},
		},
		{
			name: "another body ends it", err: "deadline: partial",
			answer: func(w http.ResponseWriter, n int64) {
				if n > 100 {
					_, _ = w.Write([]byte("partial"))
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/mobile/dashboard" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
					t.Errorf("asked for %s %v", r.URL, r.Header)
				}
				tt.answer(w, served.Add(1))
			}))
			t.Cleanup(peer.Close)
			err := loadOn(t, peer, 8).send(t.Context(), 500)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.sent != 0 && served.Load() != tt.sent {
				t.Errorf("%d requests, want %d", served.Load(), tt.sent)
			}
		})
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	peer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	t.Cleanup(peer.Close)
	if err := loadOn(t, peer, 2).send(ctx, 1_000_000); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// loadOn is a load that wants empty bodies.
func loadOn(t *testing.T, peer *httptest.Server, connections int) *load {
	t.Helper()
	addr := peer.Listener.Addr().String()
	requests := make([][]byte, connections)
	for i := range requests {
		requests[i] = newRequest(addr, "token")
	}
	l, err := newLoad(t.Context(), addr, requests, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}
