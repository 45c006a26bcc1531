package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
)

func TestKnownKeysServeForADayWithoutTheIssuer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		v := identity.verifier()
		refreshing(t, v)
		old := ed.mint(claim("exp", time.Now().Add(100*time.Hour).Unix()))
		want(t, v, old, accepted)
		identity.setDown(true)
		for _, at := range []struct {
			sleep time.Duration
			known answer
		}{{time.Hour, accepted}, {22 * time.Hour, accepted}, {2 * time.Hour, away}} {
			time.Sleep(at.sleep)
			want(t, v, old, at.known)
			want(t, v, ed.mint(), at.known)
			want(t, v, ed.mint(head("kid", "2")), away)
			want(t, v, ed.mint(claim("exp", 1), head("kid", "2")), invalid("the token is expired"))
		}
		identity.setDown(false)
		time.Sleep(31 * time.Second)
		want(t, v, old, accepted)
	})
}

func TestAnAnswerOfNoUseKeepsTheKeys(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "1", "EdDSA")
	good := encode(map[string]any{"keys": []any{ed.jwk()}})
	many := make([]any, 101)
	for n := range many {
		many[n] = with(ed.jwk(), "kid", strconv.Itoa(n))
	}
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, tt := range []struct {
		name string
		keys http.HandlerFunc
	}{
		{"an empty object", says(http.StatusOK, `{}`)},
		{"an empty set", says(http.StatusOK, `{"keys":[]}`)},
		{"no JSON", says(http.StatusOK, `<html>`)},
		{"nothing", says(http.StatusOK, ``)},
		{"an empty set and a good one", says(http.StatusOK, `{"keys":[],`+good[1:])},
		{"keys that cannot be used", says(http.StatusOK, encode(map[string]any{"keys": []any{with(ed.jwk(), "use", "enc")}}))},
		{"keys without names", says(http.StatusOK, encode(map[string]any{"keys": []any{with(ed.jwk(), "kid", nil)}}))},
		{"more than a hundred keys", says(http.StatusOK, encode(map[string]any{"keys": many}))},
		{"more than 256 KiB", says(http.StatusOK, good+strings.Repeat(" ", 256<<10))},
		{"an error with good keys", says(http.StatusInternalServerError, good)},
		{"a redirect to good keys", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				http.Redirect(w, r, "/elsewhere/keys", http.StatusFound)
				return
			}
			_, _ = w.Write([]byte(good))
		}},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"a panic below", func(http.ResponseWriter, *http.Request) { panic("below") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				identity := newIssuer(ed)
				v := identity.verifier()
				want(t, v, ed.mint(), accepted)
				identity.script(tt.keys)
				time.Sleep(31 * time.Second)
				began := time.Now()
				want(t, v, ed.mint(head("kid", "2")), away)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("waited for %v", took)
				}
				want(t, v, ed.mint(), accepted)
				identity.publish(ed)
				time.Sleep(time.Second)
				want(t, v, ed.mint(head("kid", "2")), unknown)
			})
		})
	}
}

func TestAnEndlessAnswerIsCutShort(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "1", "EdDSA")
	identity := newIssuer()
	written := 0
	ended := make(chan struct{})
	identity.script(func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		for spaces := bytes.Repeat([]byte(" "), 32<<10); ; {
			n, err := w.Write(spaces)
			if written += n; err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(identity)
	t.Cleanup(server.Close)
	cfg := identity.config()
	cfg.InternalURL = server.URL
	want(t, auth.NewVerifier(cfg, server.Client().Transport, slog.New(slog.DiscardHandler)), ed.mint(), away)
	if <-ended; written > 16<<20 {
		t.Errorf("took up to %d bytes", written)
	}
}

func TestRecoveryIsQuickAndAsksNotTooOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		identity.setDown(true)
		var log bytes.Buffer
		v := auth.NewVerifier(identity.config(), identity, slog.New(slog.NewTextHandler(&log, nil)))
		began := time.Now()
		for time.Since(began) < 2*time.Minute {
			want(t, v, ed.mint(), away)
			if since := time.Since(began); since == 20*time.Second {
				_, err := v.Verify(t.Context(), ed.mint())
				if wait := problem.From(err).Header("Retry-After"); wait != "11" {
					t.Errorf("Retry-After = %q after 20 s, want the 11 s until the issuer is asked again", wait)
				}
			}
			time.Sleep(500 * time.Millisecond)
		}
		var asked []time.Duration
		for _, at := range identity.asked() {
			asked = append(asked, at.Sub(began)/time.Second)
		}
		if diff := cmp.Diff([]time.Duration{0, 1, 3, 7, 15, 31, 61, 91}, asked); diff != "" {
			t.Errorf("asked at seconds: %s", diff)
		}
		identity.setDown(false)
		time.Sleep(time.Second)
		want(t, v, ed.mint(), accepted)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[1], "level=INFO") {
			t.Errorf("the log is not one line for each change:\n%s", log.String())
		}
	})
}

func TestTheRefreshRetriesSooner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		identity := newIssuer(before)
		v := identity.verifier()
		refreshing(t, v)
		want(t, v, before.mint(), accepted)
		identity.setDown(true)
		time.Sleep(2*time.Minute + time.Millisecond)
		identity.setDown(false)
		identity.publish(after)
		time.Sleep(time.Second)
		want(t, v, before.mint(head("kid", "2")), invalid("the signature of the token is invalid"))
		if fetched := len(identity.asked()); fetched != 3 {
			t.Errorf("%d fetches, want three: the first, one that failed, one soon after", fetched)
		}
	})
}

func TestRefreshWaitsForTheFetchUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "1", "EdDSA")
		identity := newIssuer(ed)
		identity.takes = time.Hour
		v := identity.verifier()
		gone, leave := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() { _, _ = v.Verify(gone, ed.mint()) })
		synctest.Wait()
		leave()
		waiting.Wait()
		began := time.Now()
		if err := v.Refresh(gone); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("returned after %v, want the two seconds of the fetch", took)
		}
	})
}
