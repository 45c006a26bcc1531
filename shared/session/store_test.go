package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
)

// breaks fails the commands that begin with one of its words, as often as it is told.
type breaks struct {
	words string
	times atomic.Int64
}

// DialHook does nothing.
func (b *breaks) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook fails commands.
func (b *breaks) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.String(), b.words) && b.times.Add(-1) >= 0 {
			cmd.SetErr(errors.New("connection reset"))
			return cmd.Err()
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook does nothing.
func (b *breaks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestUsingASessionKeepsItAndLookingAtItDoesNot(t *testing.T) {
	t.Parallel()
	for target, alive := range map[string]int{"/": http.StatusOK, "/peek": http.StatusUnauthorized} {
		server := miniredis.RunT(t)
		w := newWorld(t, connect(t, server.Addr()), nil)
		b := w.browser()
		w.signIn(t, b, "ada")
		server.FastForward(20 * time.Minute)
		b.see(t, target)
		server.FastForward(20 * time.Minute)
		if rec := b.get(t, "/peek"); rec.Code != alive {
			t.Errorf("40 minutes after the login and 20 after %s: %d", target, rec.Code)
		}
	}
}

func TestNoRecordOutlivesItsSession(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	addr := server.Addr()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, connect(t, addr), func(c *session.Config) { c.Idle, c.Lifetime = time.Hour, 2*time.Hour })
		w.provider.Behave(sessiontest.Behaviour{Lifetime: 24 * time.Hour})
		b := w.browser()
		w.signIn(t, b, "ada")
		key := "session:{" + b.see(t, "/").Session.ID + "}"
		if left := server.TTL(key); left > time.Hour || left < 59*time.Minute {
			t.Errorf("after the login the record is kept for %v", left)
		}
		time.Sleep(100 * time.Minute)
		server.SetTTL(key, 5*time.Minute) // as if it had been used 55 minutes ago; the clock of this Redis stands still
		got := b.see(t, "/").Session
		if left := server.TTL(key); left > 20*time.Minute || left < 19*time.Minute {
			t.Errorf("20 minutes before the end the record is kept for %v", left)
		}
		if !got.ExpiresAt.Equal(got.EndsAt) {
			t.Errorf("the session says that it lasts until %v, and ends at %v", got.ExpiresAt, got.EndsAt)
		}
		time.Sleep(20 * time.Minute)
		if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("at the end: %d", rec.Code)
		}
	})
}

func TestARenewalLeavesTheEndOfTheSessionAlone(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	inBubble(t, server, func(t *testing.T, w *world, b *browser) {
		w.signIn(t, b, "ada")
		key := "session:{" + b.see(t, "/").Session.ID + "}"
		time.Sleep(expired)
		server.SetTTL(key, 29*time.Minute+30*time.Second) // as late as it may be without being prolonged
		b.see(t, "/")
		if left := server.TTL(key); left != 29*time.Minute+30*time.Second || w.provider.TokenCalls() != 2 {
			t.Errorf("the record is kept for %v after %d token calls", left, w.provider.TokenCalls())
		}
	})
}

func TestNewTokensAreStoredThoughRedisStumbles(t *testing.T) {
	t.Parallel()
	addr := miniredis.RunT(t).Addr()
	synctest.Test(t, func(t *testing.T) {
		client := connect(t, addr)
		stumbles := &breaks{words: "evalsha"}
		client.AddHook(stumbles)
		w := newWorld(t, client, nil)
		b := w.browser()
		w.signIn(t, b, "ada")
		time.Sleep(expired)
		stumbles.times.Store(5)
		if got := b.see(t, "/").Token; got != "access-2-ada" || w.provider.TokenCalls() != 2 {
			t.Errorf("token = %q after %d token calls", got, w.provider.TokenCalls())
		}
	})
}

func TestALoginWhoseStateCannotBeMarkedIsNone(t *testing.T) {
	t.Parallel()
	client := connect(t, miniredis.RunT(t).Addr())
	stumbles := &breaks{words: "set session:login"}
	client.AddHook(stumbles)
	w := newWorld(t, client, nil)
	b := w.browser()
	callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
	stumbles.times.Store(1)
	if rec := b.get(t, callback); rec.Code != http.StatusServiceUnavailable || w.provider.TokenCalls() != 0 {
		t.Errorf("%d %s after %d token calls", rec.Code, rec.Body, w.provider.TokenCalls())
	}
	if rec := b.get(t, callback); rec.Code != http.StatusSeeOther {
		t.Errorf("the same again: %d %s", rec.Code, rec.Body)
	}
	if rec := b.get(t, callback); rec.Code != http.StatusBadRequest {
		t.Errorf("once more: %d", rec.Code)
	}
}

func TestAWrongCodeUsesTheLoginUp(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
	wrong := strings.Replace(callback, "code=", "code=x", 1)
	if rec := b.get(t, wrong); codeOf(t, rec) != "login_failed" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	server.FastForward(9 * time.Minute)
	if rec := b.get(t, callback); codeOf(t, rec) != "invalid_state" {
		t.Errorf("nine minutes later: %d %s", rec.Code, rec.Body)
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	id := b.see(t, "/").Session.ID
	check := func(what string, want, known bool) {
		t.Helper()
		alive, err := w.sessions.Alive(t.Context(), id)
		if alive != want || (err == nil) != known {
			t.Errorf("%s: %v, %v", what, alive, err)
		}
	}
	server.FastForward(10 * time.Minute)
	check("signed in", true, true)
	if left := server.TTL("session:{" + id + "}"); left > 20*time.Minute {
		t.Errorf("asking prolonged it to %v", left)
	}
	b.do(t, http.MethodPost, "/logout")
	check("signed out", false, true)
	server.Close()
	check("without Redis", false, false)
}

func TestEndedSessionsLeaveTheLists(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	inBubble(t, server, func(t *testing.T, w *world, _ *browser) {
		w.signIn(t, w.browser(), "ada")
		w.signIn(t, w.browser(), "ada")
		time.Sleep(13 * time.Hour)
		w.signIn(t, w.browser(), "ada")
		for _, key := range server.Keys() {
			if strings.HasPrefix(key, "session:subject") {
				if members, err := server.ZMembers(key); err != nil || len(members) != 1 {
					t.Errorf("the list has %d sessions: %v", len(members), err)
				}
			}
		}
	})
}
