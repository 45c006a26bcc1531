package session_test

import (
	"errors"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestALeaseLastsAsLongAsTheTokenCall(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	inBubble(t, server, func(t *testing.T, w *world, b *browser) {
		client := w.redis
		w.signIn(t, b, "ada")
		other := &browser{app: w.application(t, client, nil), cookies: maps.Clone(b.cookies)}
		lease := "session:lease:{" + b.see(t, "/peek").Session.ID + "}"
		time.Sleep(expired)
		w.provider.Behave(sessiontest.Behaviour{Slow: 8 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { b.get(t, "/") })
		time.Sleep(500 * time.Millisecond)
		for range 6 { // the clock of this Redis goes along
			if server.TTL(lease) <= 0 {
				t.Error("the lease has no end, or has ended")
			}
			server.FastForward(time.Second)
			time.Sleep(time.Second)
		}
		all.Go(func() {
			if got := other.see(t, "/").Token; got != "access-2-ada" {
				t.Errorf("the other replica has the token %q", got)
			}
		})
		all.Wait()
		time.Sleep(time.Second) // it is given back after the record is new
		if calls := w.provider.TokenCalls(); calls != 2 || server.Exists(lease) {
			t.Errorf("%d token calls; the lease is still there: %v", calls, server.Exists(lease))
		}
	})
}

func TestALeaseThatIsSomebodyElsesByNowIsLeftAlone(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	inBubble(t, server, func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		id := b.see(t, "/peek").Session.ID
		lease := "session:lease:{" + id + "}"
		time.Sleep(expired)
		w.provider.Behave(sessiontest.Behaviour{Slow: 4 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { b.get(t, "/") })
		time.Sleep(500 * time.Millisecond)
		// This process stood still for so long that another replica has the lease, and has renewed the session.
		if err := server.Set(lease, "another"); err != nil {
			t.Error(err)
		}
		server.SetTTL(lease, 3*time.Second)
		renewed := "what the other one has stored"
		if err := server.Set("session:{"+id+"}", renewed); err != nil {
			t.Error(err)
		}
		all.Wait()
		time.Sleep(2 * time.Second)
		if holder, err := server.Get(lease); err != nil || holder != "another" || server.TTL(lease) != 3*time.Second {
			t.Errorf("the lease is %q for %v: %v", holder, server.TTL(lease), err)
		}
		if stored, err := server.Get("session:{" + id + "}"); err != nil || stored != renewed {
			t.Errorf("the record is %q: %v", stored, err)
		}
	})
}

func TestARenewalThatFailsEarlyIsNotTriedByEveryRequest(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{Answer: &upstreamtest.Answer{Err: errors.New("refused")}})
		time.Sleep(4*time.Minute + 31*time.Second)
		for range 50 {
			if rec := b.get(t, "/"); rec.Code != http.StatusOK {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
			synctest.Wait()
		}
		if calls := w.provider.TokenCalls(); calls != 2 {
			t.Errorf("%d token calls in one moment, want one for the login and one more", calls)
		}
		time.Sleep(2 * time.Second)
		w.provider.Behave(sessiontest.Behaviour{})
		b.see(t, "/")
		synctest.Wait()
		if got := b.see(t, "/").Token; got != "access-3-ada" {
			t.Errorf("when the provider is back the token is %q", got)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestALogoutDoesNotWaitForAProviderThatNobodyKnowsYet(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		client := w.redis
		w.signIn(t, b, "ada")
		w.provider.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Hang: true})
		b.app = w.application(t, client, nil) // a replica that has just started
		begun := time.Now()
		rec := b.do(t, http.MethodPost, "/logout")
		if took := time.Since(begun); rec.Code != http.StatusOK || rec.Body.String() != `{"logoutUrl":"`+external+`/"}` || took > time.Second {
			t.Errorf("%d %s after %v", rec.Code, rec.Body, took)
		}
		if len(rec.Header().Values("Set-Cookie")) != 2 || len(b.cookies) != 1 { // that of the login is left
			t.Errorf("the browser keeps %v", b.cookies)
		}
		time.Sleep(5 * time.Second) // what hangs is given up
	})
}
