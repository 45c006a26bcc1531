package auth_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuerName = "https://id.example.com"
	audience   = "bff-mobile"
)

// issuer is a scripted issuer: the handler of a server, or a transport where there is no network.
type issuer struct {
	name string
	// takes is how long it thinks about its keys.
	takes time.Duration

	mu          sync.Mutex
	keys        http.HandlerFunc
	jwksURI     string
	down        bool
	discoveries int
	fetches     []time.Time
}

func newIssuer(keys ...signer) *issuer {
	i := &issuer{name: issuerName, jwksURI: issuerName + "/keys"}
	i.publish(keys...)
	return i
}

// publish replaces the issuer's keys.
func (i *issuer) publish(keys ...signer) {
	jwks := []any{}
	for _, k := range keys {
		jwks = append(jwks, k.jwk())
	}
	i.answer(http.StatusOK, encode(map[string]any{"keys": jwks}))
}

// answer makes the issuer say body instead of its keys.
func (i *issuer) answer(status int, body string) {
	i.script(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func (i *issuer) script(keys http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

func (i *issuer) setDown(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// asked returns when the keys were asked for.
func (i *issuer) asked() []time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]time.Time(nil), i.fetches...)
}

func (i *issuer) discovered() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.discoveries
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		defer i.mu.Unlock()
		i.discoveries++
		_, _ = w.Write([]byte(encode(map[string]any{"issuer": i.name, "jwks_uri": i.jwksURI})))
		return
	}
	i.fetches = append(i.fetches, time.Now())
	keys := i.keys
	i.mu.Unlock()
	keys(w, r)
}

// RoundTrip answers without a network.
func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	takes, down := i.takes, i.down
	if down {
		i.fetches = append(i.fetches, time.Now())
	}
	i.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	if takes > 0 && strings.HasSuffix(r.URL.Path, "/keys") {
		select {
		case <-time.After(takes):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	recorder := httptest.NewRecorder()
	i.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// config is that of a BFF which trusts the issuer.
func (i *issuer) config() auth.Config {
	return auth.Config{Issuer: i.name, Audience: audience, Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"}}
}

func (i *issuer) verifier() *auth.Verifier {
	return auth.NewVerifier(i.config(), i, slog.New(slog.DiscardHandler))
}

// answer is what the caller sees of a check.
type answer struct {
	Status          int
	Code, Challenge string
}

func invalid(why string) answer {
	return answer{401, "invalid_token", `Bearer realm="bff-mobile", error="invalid_token", error_description="` + why + `"`}
}

var accepted = answer{Status: http.StatusOK}

// ask sends a request with the Authorization headers through the middleware.
func ask(v *auth.Verifier, headers ...string) answer {
	got := accepted
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) {
		p := problem.From(err)
		got = answer{p.Status, p.Code, p.Header("WWW-Authenticate")}
	}
	passed := false
	handler := v.Bearer(fail)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true }))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header["Authorization"] = headers
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if passed != (got == accepted) {
		panic("the handler ran beside a failure, or neither happened")
	}
	return got
}
