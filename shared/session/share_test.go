package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// gate holds back the answer of Redis to the first pipeline after it is armed, until it is opened.
type gate struct {
	armed     atomic.Bool
	held      chan struct{} // closed when one is held back
	open      chan struct{}
	pipelines atomic.Int64
}

// DialHook does nothing.
func (g *gate) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook does nothing.
func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook holds back.
func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		err := next(ctx, commands)
		g.pipelines.Add(1)
		if g.armed.CompareAndSwap(true, false) {
			close(g.held)
			<-g.open
		}
		return err
	}
}

// gated is an application whose Redis has a gate, with ada signed in.
func gated(t *testing.T, addr string) (*world, *gate, *browser) {
	t.Helper()
	client, g := connect(t, addr), &gate{held: make(chan struct{}), open: make(chan struct{})}
	client.AddHook(g)
	w := newWorld(t, client, nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	b.see(t, "/")
	return w, g, b
}

func TestRequestsThatComeTogetherReadTheSessionOnce(t *testing.T) {
	t.Parallel()
	addr := miniredis.RunT(t).Addr()
	synctest.Test(t, func(t *testing.T) {
		w, g, b := gated(t, addr)
		before := g.pipelines.Load()
		g.armed.Store(true)
		var all sync.WaitGroup
		var good atomic.Int64
		begin := func(ctx context.Context) {
			all.Go(func() {
				req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
				req.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.cookies["__Host-session"]})
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, req)
				if rec.Code == http.StatusOK {
					good.Add(1)
				}
			})
		}
		first, leave := context.WithCancel(t.Context())
		begin(first)
		<-g.held
		for range 50 {
			begin(t.Context())
		}
		synctest.Wait()
		leave() // it was the one who began to read, and none of the others notices
		synctest.Wait()
		close(g.open)
		all.Wait()
		if reads := g.pipelines.Load() - before; reads != 1 || good.Load() != 50 {
			t.Errorf("%d reads, and %d of 50 requests were answered well", reads, good.Load())
		}
	})
}

func TestAReadThatBeganBeforeALogoutIsNotForThoseWhoComeAfterIt(t *testing.T) {
	t.Parallel()
	w, g, b := gated(t, miniredis.RunT(t).Addr())
	g.armed.Store(true)
	var early sync.WaitGroup
	early.Go(func() { b.get(t, "/") })
	<-g.held
	if n, err := w.sessions.EndSubject(t.Context(), "ada"); n != 1 || err != nil {
		t.Fatalf("%d sessions ended: %v", n, err)
	}
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("after the end: %d %s", rec.Code, rec.Body)
	}
	close(g.open)
	early.Wait()
}
