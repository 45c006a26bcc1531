package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
)

const (
	freshFor   = time.Minute            // keys are asked for again when older; Identity says the same in Cache-Control
	keptFor    = 24 * time.Hour         // keys are good that long while the issuer does not answer
	pause      = 500 * time.Millisecond // between two fetches, so that made-up kids are no flood
	stalePause = 10 * time.Second       // after a failed fetch, while there are keys to go on with
	fetchWait  = 2 * time.Second        // for the issuer's answer
	staleWait  = 200 * time.Millisecond // for the issuer's answer, while there are keys to go on with
	maxKeySet  = 64 << 10               // bytes
)

// errUnavailable means that it cannot be known whether a key is the issuer's.
var errUnavailable = errors.New("the issuer's keys cannot be fetched")

// keySet is the issuer's JWKS as a storage for keyfunc. It is fetched by the requests that need it, one at a time,
// and not in the background: nothing to start, nothing to stop, and keyfunc's own refresh would let one made-up kid
// delay the discovery of a real one.
type keySet struct {
	jwkset.Storage // the keys of the last fetch that succeeded

	url     string
	client  *http.Client
	fetched atomic.Pointer[time.Time] // when that fetch was; nil before the first

	turn    chan struct{} // holds a token while a request fetches; guards what follows
	tried   time.Time     // when the last fetch began
	failure error         // how it ended
}

func newKeySet(url string, transport http.RoundTripper) *keySet {
	return &keySet{
		Storage: jwkset.NewMemoryStorage(),
		url:     url,
		client:  &http.Client{Transport: transport},
		turn:    make(chan struct{}, 1),
	}
}

// KeyRead is the key that the issuer publishes under kid. It may fetch the key set first, within ctx.
// The error wraps [jwkset.ErrKeyNotFound] when the issuer has no such key, and errUnavailable when it does not say.
func (k *keySet) KeyRead(ctx context.Context, kid string) (jwkset.JWK, error) {
	asked := time.Now()
	if _, err := k.Storage.KeyRead(ctx, kid); err != nil {
		if err := k.fetch(ctx, kid, asked); err != nil {
			return jwkset.JWK{}, fmt.Errorf("%w: %w", errUnavailable, err)
		}
	} else if age := asked.Sub(*k.fetched.Load()); age >= freshFor {
		k.freshen(ctx, asked)
		if asked.Sub(*k.fetched.Load()) >= keptFor {
			return jwkset.JWK{}, errUnavailable
		}
	}
	return k.Storage.KeyRead(ctx, kid)
}

// fetch returns when the key is there or a fetch that began after asked has ended: its own, or another request's.
func (k *keySet) fetch(ctx context.Context, kid string, asked time.Time) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := k.Storage.KeyRead(ctx, kid); err == nil {
		return nil
	}
	if k.tried.After(asked) {
		return k.failure
	}
	timer := time.NewTimer(time.Until(k.tried.Add(pause)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return k.load(ctx, fetchWait)
}

// freshen fetches keys that are known already, unless another request is at it or the issuer failed just now.
func (k *keySet) freshen(ctx context.Context, asked time.Time) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	default:
		return
	}
	if asked.Sub(k.tried) < stalePause {
		return
	}
	// A failure is kept in k.failure; until the keys are too old, they are as good as before.
	_ = k.load(ctx, staleWait)
}

// load asks the issuer. The caller holds the turn.
func (k *keySet) load(ctx context.Context, within time.Duration) error {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	keys, err := k.download(limited)
	if ctx.Err() != nil {
		// This client left; what the issuer would have said is for the next one to find out.
		return ctx.Err()
	}
	k.tried, k.failure = began, err
	if err != nil {
		return err
	}
	k.fetched.Store(&began)
	return k.KeyReplaceAll(ctx, keys)
}

func (k *keySet) download(ctx context.Context) ([]jwkset.JWK, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %d", response.StatusCode)
	}
	var set jwkset.JWKSMarshal
	if err := json.NewDecoder(io.LimitReader(response.Body, maxKeySet)).Decode(&set); err != nil {
		return nil, err
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("the issuer publishes no keys")
	}
	return set.JWKSlice()
}
