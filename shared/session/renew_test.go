package session_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestAnAccessTokenThatEndsIsRenewedOnceForAll(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{Slow: 3 * time.Second})
		time.Sleep(expired)

		const requests = 200
		var tokens [requests]string
		var all sync.WaitGroup
		for i := range requests {
			copied := &browser{app: w, cookies: map[string]string{"__Host-session": b.cookies["__Host-session"]}}
			all.Go(func() { tokens[i] = copied.see(t, "/").Token })
		}
		all.Wait()
		if calls := w.provider.TokenCalls(); calls != 2 {
			t.Errorf("%d token calls, want one for the login and one more", calls)
		}
		for i, got := range tokens {
			if got != "access-2-ada" {
				t.Errorf("request %d has the token %q", i, got)
			}
		}
		time.Sleep(5 * time.Minute)
		if got := b.see(t, "/").Token; got != "access-3-ada" {
			t.Errorf("later the token is %q: the refresh token was not rotated", got)
		}
	})
}

func TestWhatTheTokenEndpointSentIsNotInTheLog(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		time.Sleep(expired)
		for _, quoting := range []upstreamtest.Answer{
			{Err: errors.New(`malformed HTTP response "hunter2"`)}, // as net/http does
			{Status: 200, Body: `{"access_token":"hunter2","expires_in":"hunter2"}`},
		} {
			w.provider.Answer("/token", quoting)
			if got := b.get(t, "/"); got.Code != http.StatusServiceUnavailable {
				t.Errorf("%d %s", got.Code, got.Body)
			}
			w.mu.Lock()
			if said := w.failed.Error(); strings.Contains(said, "hunter2") || !strings.Contains(said, "no answer that can be read") {
				t.Errorf("the log: %s", said)
			}
			w.mu.Unlock()
		}
	})
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		after  time.Duration // of tokens that last for five minutes
		answer *upstreamtest.Answer
		status int
		token  string
		code   string
		alive  bool
		took   time.Duration
	}{
		{name: "not before it is time", after: 4 * time.Minute, status: 200, token: "access-1-ada", alive: true},
		{name: "a little before its end", after: 4*time.Minute + 31*time.Second, status: 200, token: "access-2-ada", alive: true},
		{
			name: "the provider is away, and the token is still good", after: 4*time.Minute + 31*time.Second,
			answer: &upstreamtest.Answer{Err: errors.New("refused")}, status: 200, token: "access-1-ada", alive: true,
		},
		{
			name: "the provider hangs, and the token is still good", after: 4*time.Minute + 31*time.Second,
			answer: &upstreamtest.Answer{Hang: true}, status: 200, token: "access-1-ada", alive: true,
		},
		{
			name: "the provider is away", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Err: errors.New("refused")}, status: 503, code: "identity_unavailable", alive: true,
		},
		{
			name: "the provider hangs", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Hang: true}, status: 503, code: "identity_unavailable", alive: true, took: 5 * time.Second,
		},
		{
			name: "the provider is in trouble", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Status: 500, Body: `{"error":"invalid_grant"}`}, status: 503, code: "identity_unavailable", alive: true,
		},
		{
			name: "the provider has forgotten us", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Status: 401, Body: `{"error":"invalid_client"}`}, status: 503, code: "identity_unavailable", alive: true,
		},
		{
			name: "somebody in between refuses", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Status: 403, Body: `<html>`}, status: 503, code: "identity_unavailable", alive: true,
		},
		{
			name: "the session is over for the provider", after: 6 * time.Minute,
			answer: &upstreamtest.Answer{Status: 400, Body: `{"error":"invalid_grant"}`}, status: 401, code: "no_session",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
				w.signIn(t, b, "ada")
				w.provider.Behave(sessiontest.Behaviour{Answer: tt.answer})
				time.Sleep(tt.after)
				begun := time.Now()
				rec := b.get(t, "/")
				if took := time.Since(begun); rec.Code != tt.status || codeOf(t, rec) != tt.code || took != tt.took || rec.Header().Get("Set-Cookie") != "" {
					t.Errorf("%d %s after %v, want %d %s after %v", rec.Code, rec.Body, took, tt.status, tt.code, tt.took)
				}
				synctest.Wait() // for a renewal that nobody waited for
				if tt.token != "" {
					if got := b.see(t, "/").Token; got != tt.token {
						t.Errorf("token = %q, want %q", got, tt.token)
					}
				}
				if peek := b.get(t, "/peek"); (peek.Code == http.StatusOK) != tt.alive {
					t.Errorf("afterwards: %d", peek.Code)
				}
				time.Sleep(time.Minute) // what hangs is given up
				stop(t, w.sessions)
			})
		})
	}
}

// stop waits for what a manager has under way.
func stop(t *testing.T, m *session.Manager) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestALogoutDuringARenewalWins(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, connect(t, server.Addr()), nil)
		b := w.browser()
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{Slow: 2 * time.Second})
		time.Sleep(expired)
		old := &browser{app: w, cookies: map[string]string{"__Host-session": b.cookies["__Host-session"]}}
		var rec *httptest.ResponseRecorder
		var asking sync.WaitGroup
		asking.Go(func() { rec = old.get(t, "/") })
		time.Sleep(time.Second) // the token call is under way
		if out := b.do(t, http.MethodPost, "/logout"); out.Code != http.StatusOK {
			t.Errorf("logout: %d %s", out.Code, out.Body)
		}
		asking.Wait()
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("the renewal: %d %s", rec.Code, rec.Body)
		}
		if again := old.get(t, "/"); again.Code != http.StatusUnauthorized {
			t.Errorf("the session came back: %d %s", again.Code, again.Body)
		}
	})
}

func TestARenewalGoesOnWhenItsRequestLeaves(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{Slow: 3 * time.Second})
		time.Sleep(expired)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		req.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.cookies["__Host-session"]})
		w.ServeHTTP(httptest.NewRecorder(), req)
		stop(t, w.sessions)
		w.provider.Behave(sessiontest.Behaviour{})
		if got := b.see(t, "/").Token; got != "access-2-ada" || w.provider.TokenCalls() != 2 {
			t.Errorf("token = %q after %d calls, want the one that was asked for", got, w.provider.TokenCalls())
		}
	})
}

func TestReplicasThatRenewAtOnceMakeOneTokenCall(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		client := w.redis
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{Slow: 3 * time.Second})
		replicas := []http.Handler{w.Handler, w.application(t, client, nil), w.application(t, client, nil)}
		time.Sleep(expired)
		var all sync.WaitGroup
		for i := range 60 {
			at := &browser{app: replicas[i%len(replicas)], cookies: maps.Clone(b.cookies)}
			all.Go(func() {
				if got := at.see(t, "/").Token; got != "access-2-ada" {
					t.Errorf("request %d has the token %q", i, got)
				}
			})
		}
		all.Wait()
		if calls := w.provider.TokenCalls(); calls != 2 {
			t.Errorf("%d token calls, want one for the login and one more", calls)
		}
	})
}

func TestAReplicaThatDiesWhileItRenewsHoldsTheOthersUpForAMoment(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.Addr())
	w := newWorld(t, client, nil)
	w.provider.Behave(sessiontest.Behaviour{Lifetime: time.Second})
	b := w.browser()
	w.signIn(t, b, "ada")
	lease := "session:lease:{" + b.see(t, "/peek").Session.ID + "}"
	if err := client.Set(t.Context(), lease, "somebody who is dead", time.Second+500*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	w.provider.Behave(sessiontest.Behaviour{})
	for b.see(t, "/").Token == "access-1-ada" { // until it has to be renewed
	}
	if left := client.Exists(t.Context(), lease).Val(); left != 0 || w.provider.TokenCalls() != 2 {
		t.Errorf("%d leases are left after %d token calls", left, w.provider.TokenCalls())
	}
}

func TestARenewalThatIsForSomebodyElseEndsTheSession(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		w.provider.Behave(sessiontest.Behaviour{ChangeID: func(c jwt.MapClaims) { c["sub"] = "grace" }})
		time.Sleep(expired)
		if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestWithoutARefreshTokenTheSessionEndsWithItsAccessToken(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		w.provider.Handle("/token", func(r *http.Request) upstreamtest.Answer {
			answer := w.provider.Token(r)
			answer.Body = without(t, answer.Body, "refresh_token")
			return answer
		})
		w.signIn(t, b, "ada")
		time.Sleep(4*time.Minute + 50*time.Second)
		b.see(t, "/")
		time.Sleep(11 * time.Second)
		if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if len(w.endings()) != 1 || w.provider.TokenCalls() != 1 {
			t.Errorf("%d endings, %d token calls", len(w.endings()), w.provider.TokenCalls())
		}
	})
}
