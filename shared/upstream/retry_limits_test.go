package upstream_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestOnlyAWriteWithAKeyIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, key string
		attempts          int
	}{
		{"a POST without a key", http.MethodPost, "", 1},
		{"a PUT without a key", http.MethodPut, "", 1},
		{"a POST with a key", http.MethodPost, "key-1", 2},
		{"a DELETE with a key", http.MethodDelete, "key-1", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				var bodies, keys []string
				transport.Handle("/things/1", func(req *http.Request) upstreamtest.Answer {
					body, err := io.ReadAll(req.Body)
					if err != nil {
						t.Error(err)
					}
					bodies, keys = append(bodies, string(body)), append(keys, req.Header.Get("Idempotency-Key"))
					return upstreamtest.Answer{Status: http.StatusBadGateway}
				})
				_, err := upstream.Send[thing](t.Context(), clientOf(t, &transport, upstream.Policy{}, twoReplicas),
					upstream.Write{Method: tt.method, Target: aThing, Body: map[string]int{"amount": 1}, IdempotencyKey: tt.key})
				if kindOf(err) != upstream.BadAnswer {
					t.Errorf("error = %v", err)
				}
				if len(bodies) != tt.attempts {
					t.Errorf("%d attempts, want %d", len(bodies), tt.attempts)
				}
				for i, body := range bodies {
					if body != `{"amount":1}` || keys[i] != keys[0] || (keys[i] != "") != (tt.key != "") {
						t.Errorf("attempt %d sent %s with the key %s", i+1, body, keys[i])
					}
				}
			})
		})
	}
}

func TestRetriesOfAServiceThatFailsOnAreAFifthOfItsCalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		every       time.Duration // between calls
		least, most int           // attempts of 1,000 calls
	}{
		{"all at once", 0, 1175, 1182},
		{"ten in a second", 100 * time.Millisecond, 1175, 1182},
		// Seldom calls overdraw what they earn, and not for ever.
		{"one in two seconds", 2 * time.Second, 1180, 1182},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusInternalServerError, Header: http.Header{"Retry-After": {"0"}}})
				client := clientOf(t, &transport, upstream.Policy{Without: upstream.Layers{Break: true, Eject: true}}, twoReplicas)
				calls := make(chan struct{})
				for range 1000 {
					if tt.every > 0 {
						<-time.After(tt.every)
					}
					go func() {
						_, _ = get(t.Context(), client)
						calls <- struct{}{}
					}()
				}
				for range 1000 {
					<-calls
				}
				if got := len(transport.Requests()); got < tt.least || got > tt.most {
					t.Errorf("%d attempts of 1000 calls, want %d to %d", got, tt.least, tt.most)
				}
			})
		})
	}
}

func TestABurstOfFailuresMayUseWhatQuietTimesHaveSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/things/1", good)
		client := clientOf(t, &transport, upstream.Policy{Without: upstream.Layers{Break: true, Eject: true}}, twoReplicas)
		for range 1000 {
			_, _ = get(t.Context(), client)
		}
		transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusInternalServerError})
		for range 100 {
			_, _ = get(t.Context(), client)
		}
		// Ten were saved, 18 are earned, and two may be overdrawn.
		if got := len(transport.Requests()) - 1100; got < 27 || got > 30 {
			t.Errorf("%d retries of 100 calls, want about 28", got)
		}
	})
}

func TestNoCallIsMadeAgainWhereNobodyElseAdmitsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		without upstream.Layers
	}{
		{"the circuit of the other replica is open", upstream.Layers{Eject: true}},
		{"the other replica is ejected", upstream.Layers{Break: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				wellExceptA := func(req *http.Request) upstreamtest.Answer {
					if req.URL.Host == "a.test" {
						return upstreamtest.Answer{Status: http.StatusInternalServerError}
					}
					return good
				}
				transport.Handle("/things/1", wellExceptA)
				client := clientOf(t, &transport, upstream.Policy{Without: tt.without}, twoReplicas)
				for range 200 { // which earn more retries than are needed
					_, _ = get(t.Context(), client)
				}
				before := len(transport.Requests())
				transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusInternalServerError})
				begun := time.Now()
				if _, err := get(t.Context(), client); kindOf(err) != upstream.BadAnswer || time.Since(begun) > 0 {
					t.Errorf("%v after %v, want what the other replica said at once", err, time.Since(begun))
				}
				if asked := hosts(&transport)[before:]; len(asked) != 1 || asked[0] != "b.test" {
					t.Errorf("asked %v, want b.test alone", asked)
				}
			})
		})
	}
}
