package token_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
)

// line is the way to the issuer, which can be cut or hang. It counts the calls.
type line struct {
	issuer http.Handler
	calls  atomic.Int64
	state  atomic.Value // "", "cut" or "hanging"
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.calls.Add(1)
	switch l.state.Load() {
	case "cut":
		return nil, errors.New("connection refused")
	case "hanging":
		<-r.Context().Done()
		return nil, r.Context().Err()
	default:
		return standintest.Direct{Handler: l.issuer}.RoundTrip(r)
	}
}

// upstream is a service that trusts an Identity, without any network between them.
type upstream struct {
	*standintest.World

	line    *line
	handler http.Handler
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	provider := standintest.NewIdentity(t)
	way := &line{issuer: provider}
	trusted := token.Issuer{ID: standintest.Issuer, Transport: way}
	return &upstream{
		World:   &standintest.World{Identity: provider, Trusted: trusted},
		line:    way,
		handler: whoami(trusted),
	}
}

func (u *upstream) status(t *testing.T, bearer string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	request.Header.Set("Authorization", "Bearer "+bearer)
	recorder := httptest.NewRecorder()
	u.handler.ServeHTTP(recorder, request)
	return recorder.Code
}

func (u *upstream) expect(t *testing.T, bearer string, want int, why string) {
	t.Helper()
	if got := u.status(t, bearer); got != want {
		t.Errorf("%s: got %d, want %d", why, got, want)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(t)
		before := u.Mobile(t, "ada")
		u.expect(t, before, 200, "the first key")
		old := keySet(t, u.Identity).Keys[0].KeyID

		if _, err := u.Identity.Rotate(); err != nil {
			t.Fatal(err)
		}
		u.expect(t, u.Mobile(t, "ada"), 200, "the new key at once")
		u.expect(t, before, 200, "the old key beside it")

		if err := u.Identity.Retire(old); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		u.expect(t, before, 401, "the retired key after a minute")
		u.expect(t, u.Mobile(t, "ada"), 200, "the new key still")
	})
}

func TestIssuerComesUpLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(t)
		u.line.state.Store("cut")
		u.expect(t, u.Mobile(t, "ada"), 503, "without the issuer")
		u.line.state.Store("")
		up := time.Now()
		u.expect(t, u.Mobile(t, "ada"), 200, "the next request")
		if took := time.Since(up); took > time.Second {
			t.Errorf("it took %v to recover", took)
		}
	})
}

func TestKnownKeysServeWhileTheIssuerIsAway(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"cut", "hanging"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := newUpstream(t)
				u.expect(t, u.Mobile(t, "ada"), 200, "at first")
				u.line.state.Store(state)

				time.Sleep(23 * time.Hour)
				began := time.Now()
				for range 100 {
					u.expect(t, u.Mobile(t, "ada"), 200, "after a day")
				}
				if took := time.Since(began); took > 250*time.Millisecond {
					t.Errorf("a hundred requests waited %v for the issuer", took)
				}
				time.Sleep(2 * time.Hour)
				u.expect(t, u.Mobile(t, "ada"), 503, "after more than a day")
			})
		})
	}
}

func TestFetchesAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(t)
		bearer := u.Mobile(t, "ada")
		var requests sync.WaitGroup
		for range 100 {
			requests.Go(func() { u.expect(t, bearer, 200, "one of many") })
		}
		requests.Wait()
		if calls := u.line.calls.Load(); calls != 1 {
			t.Errorf("%d fetches for one key", calls)
		}
	})
}

func TestMadeUpKidsAreNoFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(t)
		u.expect(t, u.Mobile(t, "ada"), 200, "at first")
		var strangers []string
		for range 20 {
			strangers = append(strangers, (&standintest.World{Identity: standintest.NewIdentity(t)}).Mobile(t, "eve"))
		}
		before, began := u.line.calls.Load(), time.Now()
		for _, bearer := range strangers {
			u.expect(t, bearer, 401, "a made-up kid")
		}
		calls, most := u.line.calls.Load()-before, int64(time.Since(began)/(500*time.Millisecond))+1
		if calls > most {
			t.Errorf("%d fetches in %v", calls, time.Since(began))
		}

		began = time.Now()
		var requests sync.WaitGroup
		for _, bearer := range strangers {
			requests.Go(func() { u.expect(t, bearer, 401, "one of many made-up kids") })
		}
		requests.Wait()
		if took := time.Since(began); took > time.Second {
			t.Errorf("all at once, they waited %v", took)
		}
	})
}

func TestUselessKeySets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
	}{
		{"an empty set", 200, `{"keys":[]}`},
		{"an object of another kind", 200, `{}`},
		{"no JSON", 200, `<html>`},
		{"an error with somebody else's keys", 500, encode(t, keySet(t, standintest.NewIdentity(t)))},
	}
	for _, test := range tests {
		t.Run(test.name+" does not wipe the keys", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := newUpstream(t)
				u.expect(t, u.Mobile(t, "ada"), 200, "at first")
				u.line.issuer = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(test.status)
					// A recorder takes everything.
					_, _ = w.Write([]byte(test.body))
				})
				time.Sleep(2 * time.Minute)
				u.expect(t, u.Mobile(t, "ada"), 200, "the known key")
			})
		})
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keySet is what Identity publishes.
func keySet(t *testing.T, provider *identity.Provider) jose.JSONWebKeySet {
	t.Helper()
	recorder := httptest.NewRecorder()
	provider.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/keys", http.NoBody))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(recorder.Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	return set
}
