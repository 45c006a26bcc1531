package partner_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/upstream/upstreamtest"
)

func TestNobodyIsWaitedForWhoHasLeft(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBFF(t, server)
		b.script.Answer("/partners/acme", upstreamtest.Answer{Hang: true})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, leave)
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/partner/v1/dashboard", http.NoBody)
		req.Header.Set("X-Api-Key", b.key)
		rec, begun := httptest.NewRecorder(), time.Now()
		func() {
			defer func() {
				if said := recover(); said != http.ErrAbortHandler { //nolint:errorlint // net/http compares so
					t.Errorf("said %v", said)
				}
			}()
			b.ServeHTTP(rec, req)
		}()
		if took := time.Since(begun); took != 10*time.Millisecond || rec.Body.Len() > 0 {
			t.Errorf("after %v: %d %s", took, rec.Code, rec.Body)
		}
	})
}

func TestWithoutATokenOfOursTheLimitIsSaidAllTheSame(t *testing.T) {
	t.Parallel()
	script := &upstreamtest.Transport{}
	script.Answer("/.well-known/openid-configuration", refusedAnswer)
	rec := newBFFOver(t, script, config(t), miniredis.RunT(t)).dashboard(t)
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("RateLimit") != `"partner";r=99;t=1` {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

func TestAReplicaIsNotReadyBeforeItHasAskedForItsToken(t *testing.T) {
	t.Parallel()
	script := newScript()
	script.Answer("/token", upstreamtest.Answer{Hang: true})
	b := newBFFOver(t, script, config(t), miniredis.RunT(t))
	listening, err := b.platform.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- listening.Serve(ctx, b) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listening.AdminAddr()+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s, want it to be starting", resp.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
