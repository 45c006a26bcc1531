package token_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
)

// TestHeaders signs with an issuer's own key what an honest issuer would not.
func TestHeaders(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	api := standintest.Serve(t, whoami(token.Issuer{
		ID:        standintest.Issuer,
		Transport: standintest.Direct{Handler: publisher(t, "k1", key)},
	}))
	tests := []struct {
		name   string
		header map[string]any
		want   int
	}{
		{"what is needed", map[string]any{"typ": "at+jwt", "kid": "k1"}, 200},
		{"a key that comes along is not looked at", map[string]any{"typ": "at+jwt", "kid": "k1", "jku": "http://evil.example.com"}, 200},
		{"no kid", map[string]any{"typ": "at+jwt"}, 401},
		{"an empty kid", map[string]any{"typ": "at+jwt", "kid": ""}, 401},
		{"a kid that is no string", map[string]any{"typ": "at+jwt", "kid": 1}, 401},
		{"no typ", map[string]any{"kid": "k1"}, 401},
		{"a critical extension", map[string]any{"typ": "at+jwt", "kid": "k1", "crit": []string{"b64"}, "b64": true}, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
				"iss": standintest.Issuer, "sub": "ada", "aud": "bff-web", "client_id": "bff-web",
				"exp": time.Now().Add(time.Minute).Unix(),
			})
			unsigned.Header = test.header
			unsigned.Header["alg"] = "ES256"
			signed, err := unsigned.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			if got := api.Get(t, "/", signed); got.Status != test.want {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
		})
	}
}

// publisher is an issuer with one key.
func publisher(t *testing.T, kid string, key *ecdsa.PrivateKey) http.Handler {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// A recorder takes everything.
		_, _ = w.Write(set)
	})
}
