package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// whoami answers who the caller is.
func whoami(issuer token.Issuer) http.Handler {
	return token.NewVerifier(issuer).Require(func(w http.ResponseWriter, _ *http.Request, caller token.Caller) error {
		_, err := io.WriteString(w, caller.Subject+" by "+caller.Client)
		return err
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	world := standintest.New(t)
	api := standintest.Serve(t, whoami(world.Trusted))
	good := world.Mobile(t, "ada")

	const (
		bare    = `Bearer realm="upstream"`
		invalid = `Bearer realm="upstream", error="invalid_token"`
		request = `Bearer realm="upstream", error="invalid_request"`
	)
	tests := []struct {
		name          string
		authorization string
		status        int
		challenge     string
		body          string // a part of it
	}{
		{name: "a user's token is good", authorization: "Bearer " + good, status: 200, body: "ada by mobile-app"},
		{name: "the scheme may be written in any case", authorization: "bEARER " + good, status: 200, body: "ada by mobile-app"},
		{name: "a client's own token is good", authorization: "Bearer " + world.Partner(t), status: 200, body: "bff-partner by bff-partner"},
		{name: "no credentials get a bare challenge", status: 401, challenge: bare, body: `"code":"unauthenticated"`},
		{name: "another scheme counts as no credentials", authorization: "Basic YTpi", status: 401, challenge: bare},
		{name: "a scheme without a token is malformed", authorization: "Bearer ", status: 400, challenge: request},
		{name: "what is no JWT is refused", authorization: "Bearer abc", status: 401, challenge: invalid, body: `"code":"invalid_token"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{}
			if test.authorization != "" {
				header["Authorization"] = test.authorization
			}
			got := api.Do(t, standintest.Request{Path: "/", Header: header})
			if got.Status != test.status || got.Header.Get("WWW-Authenticate") != test.challenge || !strings.Contains(got.Body, test.body) {
				t.Errorf("answer: %d %v %s", got.Status, got.Header, got.Body)
			}
			if got.Status != 200 && got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("a refusal is %q", got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestForgeries(t *testing.T) {
	t.Parallel()
	world := standintest.New(t)
	api := standintest.Serve(t, whoami(world.Trusted))

	// altered is a token of Identity's own that differs from a good one in what alter changes.
	altered := func(alter func(*identity.Claims)) string {
		claims, err := world.Identity.Claims(identity.TokenRequest{User: "ada", Client: "mobile-app"})
		if err != nil {
			t.Fatal(err)
		}
		alter(&claims)
		return sign(t, world.Identity, identity.AccessTokenType, claims)
	}
	good := altered(func(*identity.Claims) {})
	stranger := standintest.World{Identity: standintest.NewIdentity(t)}

	tests := []struct {
		name  string
		token string
		want  int
	}{
		{"unaltered, it is good", good, 200},
		{"typ may have the media type's long form", sign(t, world.Identity, "Application/AT+JWT", payload(t, good)), 200},
		{"expired", altered(func(c *identity.Claims) { c.ExpiresAt = time.Now().Add(-time.Minute).Unix() }), 401},
		{"without an expiry", sign(t, world.Identity, identity.AccessTokenType, without(t, good, "exp")), 401},
		{"issued in the future", altered(func(c *identity.Claims) { c.IssuedAt = time.Now().Add(time.Minute).Unix() }), 401},
		{"of another issuer", altered(func(c *identity.Claims) { c.Issuer = "http://localhost:9001" }), 401},
		{"of an issuer with a slash more", altered(func(c *identity.Claims) { c.Issuer += "/" }), 401},
		{"for another audience", altered(func(c *identity.Claims) { c.Audience = "bff-tv" }), 401},
		{"for two audiences", sign(t, world.Identity, identity.AccessTokenType, with(t, good, "aud", []string{"bff-web", "x"})), 401},
		{"for no audience", sign(t, world.Identity, identity.AccessTokenType, without(t, good, "aud")), 401},
		{"without a subject", altered(func(c *identity.Claims) { c.Subject = "" }), 401},
		{"without a client", altered(func(c *identity.Claims) { c.ClientID = "" }), 401},
		{"longer than 8 KiB", sign(t, world.Identity, identity.AccessTokenType, with(t, good, "x", strings.Repeat("x", 8<<10))), 401},
		{"typ JWT, as an ID token has it", sign(t, world.Identity, "JWT", payload(t, good)), 401},
		{"of a logout", sign(t, world.Identity, "logout+jwt", payload(t, good)), 401},
		{"with an unknown kid", stranger.Mobile(t, "ada"), 401},
		{"with another key under a known kid", forge(t, good, jwt.SigningMethodES256, newKey(t)), 401},
		{"alg none", forge(t, good, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), 401},
		{"HS256 with the public key as the secret", forge(t, good, jwt.SigningMethodHS256, publicKey(t, world)), 401},
		{"with another payload under the signature", tamper(t, good), 401},
		{"with a flipped signature", flip(good), 401},
		{"without a signature", good[:strings.LastIndexByte(good, '.')+1], 401},
		{"with a fourth part", good + ".e30", 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := api.Get(t, "/", test.token); got.Status != test.want {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
		})
	}
}

func sign(t *testing.T, provider *identity.Provider, typ string, claims any) string {
	t.Helper()
	signed, err := provider.Sign(typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// forge is the content of a token signed by somebody else in another way.
func forge(t *testing.T, original string, method jwt.SigningMethod, key any) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(original, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	parsed.Header["alg"], parsed.Method = method.Alg(), method
	forged, err := parsed.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

func payload(t *testing.T, original string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(original, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func with(t *testing.T, original, name string, value any) map[string]any {
	t.Helper()
	claims := payload(t, original)
	claims[name] = value
	return claims
}

func without(t *testing.T, original, name string) map[string]any {
	t.Helper()
	claims := payload(t, original)
	delete(claims, name)
	return claims
}

// tamper makes the token somebody else's and keeps its signature.
func tamper(t *testing.T, original string) string {
	t.Helper()
	claims, err := json.Marshal(with(t, original, "sub", "grace"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(original, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(claims)
	return strings.Join(parts, ".")
}

// flip changes the first character of the signature.
func flip(original string) string {
	at := strings.LastIndexByte(original, '.') + 1
	first := "A"
	if original[at] == 'A' {
		first = "B"
	}
	return original[:at] + first + original[at+1:]
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// publicKey is the PEM of the key that Identity publishes.
func publicKey(t *testing.T, world *standintest.World) []byte {
	t.Helper()
	set := keySet(t, world.Identity)
	der, err := x509.MarshalPKIXPublicKey(set.Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
