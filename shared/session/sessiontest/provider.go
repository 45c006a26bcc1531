// Package sessiontest is the seam for tests of what needs people who are signed in: a scripted OpenID provider in the
// place of the network. It works under testing/synctest.
package sessiontest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/upstream/upstreamtest"
)

// Client is the one client that a Provider knows.
type Client struct{ ID, Secret, Callback string }

// Provider is an OpenID provider that does as it is told, wrong things too. It serves /.well-known/openid-configuration,
// /keys and /token; the embedded script may answer for it, and for other services. It may be used concurrently.
type Provider struct {
	*upstreamtest.Transport

	issuer string
	client Client
	key    *ecdsa.PrivateKey

	mu        sync.Mutex
	codes     map[string]grant
	refresh   map[string]grant
	calls     int
	behaviour Behaviour
}

// Behaviour is how a provider differs from a good one. The zero value does not.
type Behaviour struct {
	// Lifetime is that of access tokens, in whole seconds; 0 is five minutes.
	Lifetime time.Duration
	// Slow is how long a token call takes.
	Slow time.Duration
	// ChangeID changes the claims of an ID token before it is signed; nil leaves them alone.
	ChangeID func(claims jwt.MapClaims)
	// Key signs instead of the published one; nil does not.
	Key *ecdsa.PrivateKey
	// Answer is what every token call gets; nil lets the provider judge.
	Answer *upstreamtest.Answer
}

// grant is what a code or a refresh token stands for.
type grant struct{ user, nonce, challenge, session string }

const usualLifetime = 5 * time.Minute

// NewProvider returns a good provider. Its issuer is a URL without a slash at the end.
func NewProvider(tb testing.TB, client Client, issuer string) *Provider {
	tb.Helper()
	key := NewKey(tb)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	p := &Provider{
		Transport: &upstreamtest.Transport{}, issuer: issuer, client: client, key: key, codes: map[string]grant{}, refresh: map[string]grant{},
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	p.Answer("/keys", upstreamtest.Answer{
		Body: `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"1","x":"` + x + `","y":"` + y + `"}]}`,
	})
	p.Announce(`"id_token_signing_alg_values_supported":["ES256"],"authorization_response_iss_parameter_supported":true,"end_session_endpoint":"` + issuer + `/bye"`)
	p.Handle("/token", p.Token)
	return p
}

// NewKey returns a key that nobody knows.
func NewKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// Announce sets what the provider says about itself, members of a JSON object, beside its name and its endpoints.
func (p *Provider) Announce(members string) {
	p.Answer("/.well-known/openid-configuration", upstreamtest.Answer{
		Body: `{"issuer":"` + p.issuer + `","authorization_endpoint":"` + p.issuer + `/authorize","token_endpoint":"` + p.issuer +
			`/token","jwks_uri":"` + p.issuer + `/keys",` + members + `}`,
	})
}

// Behave sets how the provider behaves from now on.
func (p *Provider) Behave(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behaviour = b
}

// TokenCalls returns how often the token endpoint was called.
func (p *Provider) TokenCalls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// Authorize signs a user in at the provider, in a session of its own, and returns where it sends the browser back to: a path with a query.
func (p *Provider) Authorize(tb testing.TB, loginURL, user string) string {
	tb.Helper()
	location, err := url.Parse(loginURL)
	if err != nil {
		tb.Fatal(err)
	}
	callback, err := url.Parse(p.client.Callback)
	if err != nil {
		tb.Fatal(err)
	}
	asked := location.Query()
	if asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != p.client.Callback || asked.Get("client_id") != p.client.ID {
		tb.Errorf("the provider is asked %q", loginURL)
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = grant{user, asked.Get("nonce"), asked.Get("code_challenge"), "sid-" + code}
	return callback.Path + "?" + url.Values{"code": {code}, "state": {asked.Get("state")}, "iss": {p.issuer}}.Encode()
}

// Token is the token endpoint.
func (p *Provider) Token(req *http.Request) upstreamtest.Answer {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return upstreamtest.Answer{Err: err}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return upstreamtest.Answer{Err: err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.behaviour.Answer != nil {
		return *p.behaviour.Answer
	}
	if id, password, _ := req.BasicAuth(); id != p.client.ID || password != p.client.Secret {
		return upstreamtest.Answer{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client"}`}
	}
	granted, known := p.redeem(form)
	if !known {
		return upstreamtest.Answer{Status: http.StatusBadRequest, Body: `{"error":"invalid_grant"}`}
	}
	return upstreamtest.Answer{After: p.behaviour.Slow, Body: p.tokens(granted)}
}

// redeem takes a code or a refresh token, of which each counts once. The caller holds the lock.
func (p *Provider) redeem(form url.Values) (granted grant, known bool) {
	switch form.Get("grant_type") {
	case "authorization_code":
		granted, known = p.codes[form.Get("code")]
		delete(p.codes, form.Get("code"))
		challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
		known = known && base64.RawURLEncoding.EncodeToString(challenge[:]) == granted.challenge
	case "refresh_token":
		granted, known = p.refresh[form.Get("refresh_token")]
		delete(p.refresh, form.Get("refresh_token"))
	}
	return granted, known
}

// tokens is a good answer: access-<number of the call>-<user>. The caller holds the lock.
func (p *Provider) tokens(granted grant) string {
	now, lifetime, key := time.Now(), p.behaviour.Lifetime, p.behaviour.Key
	if lifetime == 0 {
		lifetime = usualLifetime
	}
	if key == nil {
		key = p.key
	}
	claims := jwt.MapClaims{
		"iss": p.issuer, "aud": p.client.ID, "sub": granted.user, "nonce": granted.nonce, "sid": granted.session,
		"name": "Name of " + granted.user, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	if p.behaviour.ChangeID != nil {
		p.behaviour.ChangeID(claims)
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["kid"] = "1"
	id, err := unsigned.SignedString(key)
	if err != nil {
		panic("sessiontest: " + err.Error())
	}
	next := rand.Text()
	p.refresh[next] = granted
	return fmt.Sprintf(`{"access_token":"access-%d-%s","token_type":"Bearer","expires_in":%d,"refresh_token":%q,"id_token":%q,"scope":"openid orders"}`,
		p.calls, granted.user, int(lifetime.Seconds()), next, id)
}
