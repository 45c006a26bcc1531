package auth_test

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
)

const crowd = 500

var (
	away    = answer{Status: http.StatusServiceUnavailable, Code: "identity_unavailable"}
	unknown = invalid("the token is signed with an unknown key")
)

// refreshing runs the background refresh for the rest of the test.
func refreshing(t *testing.T, v *auth.Verifier) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var owner sync.WaitGroup
	owner.Go(func() {
		if err := v.Refresh(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		owner.Wait()
	})
}

// want asks with the token and compares.
func want(t *testing.T, v *auth.Verifier, token string, wanted answer) {
	t.Helper()
	if diff := cmp.Diff(wanted, ask(v, "Bearer "+token)); diff != "" {
		t.Errorf("after %v: %s", time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), diff)
	}
}

// all asks with all tokens at once and wants the same for each.
func all(t *testing.T, v *auth.Verifier, wanted answer, tokens ...string) {
	t.Helper()
	answers := make([]answer, len(tokens))
	var askers sync.WaitGroup
	for n, token := range tokens {
		askers.Go(func() { answers[n] = ask(v, "Bearer "+token) })
	}
	askers.Wait()
	for _, got := range answers {
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestAColdStartIsOneFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		identity.takes = time.Second
		v := identity.verifier()
		refreshing(t, v)
		time.Sleep(3 * time.Minute)
		if fetched := len(identity.asked()); fetched != 0 {
			t.Errorf("%d fetches before the first request, want none", fetched)
		}
		tokens := make([]string, crowd)
		for n := range tokens {
			tokens[n] = ed.mint(claim("jti", n))
		}
		all(t, v, accepted, tokens...)
		if fetched, discovered := len(identity.asked()), identity.discovered(); fetched != 1 || discovered != 1 {
			t.Errorf("%d fetches and %d discoveries, want one of each", fetched, discovered)
		}
	})
}

// dawdler is the context of a caller who is about to wait, and first lets something else happen.
type dawdler struct {
	context.Context

	meanwhile func()
}

func (d dawdler) Done() <-chan struct{} {
	d.meanwhile()
	return d.Context.Done()
}

func TestWhoComesAfterAFetchThatHasJustEndedBeginsNoOther(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "1", "EdDSA")
	identity := newIssuer(ed)
	v := identity.verifier()
	ctx := dawdler{t.Context(), func() { want(t, v, ed.mint(), accepted) }}
	if _, err := v.Verify(ctx, ed.mint(claim("jti", "late"))); err != nil {
		t.Error(err)
	}
	if fetched := len(identity.asked()); fetched != 1 {
		t.Errorf("%d fetches, want one", fetched)
	}
}

func TestAFloodOfInventedKidsIsTwoFetchesAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		v := identity.verifier()
		refreshing(t, v)
		const step = 100 * time.Millisecond
		for n := range 10 * time.Minute / step {
			want(t, v, ed.mint(head("kid", strconv.Itoa(int(n)+100))), unknown)
			time.Sleep(step)
		}
		asked := identity.asked()
		for n := 2; n < len(asked); n++ {
			if within := asked[n].Sub(asked[n-2]); within < time.Minute {
				t.Errorf("three fetches within %v", within)
			}
		}
		if len(asked) < 15 {
			t.Errorf("%d fetches in ten minutes: a new key would not be found", len(asked))
		}
		want(t, v, ed.mint(), accepted)
	})
}

func TestARememberedTokenEndsWhenItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		v := newIssuer(ed).verifier()
		token := ed.mint(claim("exp", time.Now().Add(time.Minute).Unix()))
		want(t, v, token, accepted)
		time.Sleep(time.Minute + 10*time.Second - time.Nanosecond)
		want(t, v, token, accepted)
		time.Sleep(time.Nanosecond)
		want(t, v, token, invalid("the token is expired"))
		want(t, v, token+"=", invalid("the token is malformed"))
	})
}

//nolint:paralleltest // it counts allocations
func TestARememberedTokenIsNotVerifiedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		v := newIssuer(ed).verifier()
		refreshing(t, v)
		token := ed.mint(claim("exp", time.Now().Add(time.Hour).Unix()))
		want(t, v, token, accepted)
		// Meanwhile the key is fetched again.
		time.Sleep(5 * time.Minute)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := v.Verify(t.Context(), token)
		runtime.ReadMemStats(&after)
		if allocations := after.Mallocs - before.Mallocs; err != nil || allocations > 20 {
			t.Errorf("%d allocations, as if the signature were checked; error %v", allocations, err)
		}
	})
}

func TestAFullSetIsUsed(t *testing.T) {
	t.Parallel()
	signers := make([]signer, 100)
	for n := range signers {
		signers[n] = newSigner(t, strconv.Itoa(n), "EdDSA")
	}
	v := newIssuer(signers...).verifier()
	for _, s := range signers {
		want(t, v, s.mint(), accepted)
	}
}

func TestWhoWaitsMayLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		identity.takes = time.Second
		v := identity.verifier()
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		var first sync.WaitGroup
		first.Go(func() {
			_, err := v.Verify(ctx, ed.mint())
			if p := problem.From(err); p.Status != http.StatusGatewayTimeout {
				t.Errorf("who cannot wait gets %v, want 504", err)
			}
		})
		synctest.Wait()
		began := time.Now()
		all(t, v, accepted, ed.mint(claim("jti", 1)), ed.mint(claim("jti", 2)))
		first.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("the others waited for %v, want a second", took)
		}
		if fetched := len(identity.asked()); fetched != 1 {
			t.Errorf("%d fetches, want one", fetched)
		}
	})
}
