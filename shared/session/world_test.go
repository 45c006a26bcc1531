package session_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/session"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuer   = "https://id.test"
	external = "https://app.test"
	// Keys of 32 bytes.
	keyA = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
	keyB = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="
)

// world is an application with sessions, its provider and its Redis.
type world struct {
	http.Handler

	sessions *session.Manager
	provider *provider

	mu    sync.Mutex
	ended []session.Session
}

// newRedis starts a Redis in the process. Inside a bubble its clock is still the real one.
func newRedis(t *testing.T) *miniredis.Miniredis {
	t.Helper()
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func connect(t *testing.T, addr string) redis.UniversalClient {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: 100 * time.Millisecond, ReadTimeout: 100 * time.Millisecond, PoolTimeout: 50 * time.Millisecond,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func config() session.Config {
	return session.Config{
		Issuer: issuer, ClientID: "app", ClientSecret: secret.New("hunter2"), Scopes: []string{"openid", "offline_access"},
		Keys: secret.New(keyA), Idle: 30 * time.Minute, Lifetime: 12 * time.Hour,
	}
}

// newWorld returns an application at "/", "/login", "/callback" and "/logout", and with "/peek", which shows the session.
func newWorld(t *testing.T, client redis.UniversalClient, change func(*session.Config)) *world {
	t.Helper()
	w := &world{provider: newProvider(t)}
	w.Handler = w.application(t, client, change)
	return w
}

// application is a replica of the application.
func (w *world) application(t *testing.T, client redis.UniversalClient, change func(*session.Config)) http.Handler {
	t.Helper()
	cfg := config()
	if change != nil {
		change(&cfg)
	}
	origin, err := url.Parse(external)
	if err != nil {
		t.Fatal(err)
	}
	fail := func(rw http.ResponseWriter, _ *http.Request, err error) { _ = problem.From(err).Write(rw) }
	sessions := session.New(cfg, session.App{
		Name: "app", External: *origin, Home: "/", Callback: "/callback", Fail: fail,
		Ended: func(_ context.Context, s session.Session) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ended = append(w.ended, s)
		},
	}, session.Deps{Redis: client, Transport: w.provider, Log: slog.New(slog.DiscardHandler)})
	w.sessions = sessions
	mux := http.NewServeMux()
	handle := func(path string, handle func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(path, func(rw http.ResponseWriter, r *http.Request) {
			if err := handle(rw, r); err != nil {
				fail(rw, r, err)
			}
		})
	}
	handle("/login", sessions.Login)
	handle("/callback", sessions.Callback)
	handle("/logout", sessions.Logout)
	show := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		current, _ := session.From(r.Context())
		credentials, _ := upstream.CredentialsFrom(r.Context())
		_ = json.NewEncoder(rw).Encode(map[string]any{"session": current, "token": credentials.Token.Reveal(), "key": credentials.Key})
	})
	mux.Handle("/{$}", sessions.Require(show))
	mux.Handle("/peek", sessions.Peek(show))
	return mux
}

// endings returns the sessions that ended before their time.
func (w *world) endings() []session.Session {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]session.Session(nil), w.ended...)
}

// browser keeps cookies, as far as this application is concerned.
type browser struct {
	app     http.Handler
	cookies map[string]string
}

func (w *world) browser() *browser { return &browser{app: w, cookies: map[string]string{}} }

// get asks for a target, and keeps the cookies of the answer.
func (b *browser) get(t *testing.T, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return b.do(t, http.MethodGet, target, header...)
}

func (b *browser) do(t *testing.T, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.app.ServeHTTP(rec, req)
	for _, cookie := range rec.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
			continue
		}
		b.cookies[cookie.Name] = cookie.Value
	}
	return rec
}

// signIn signs a user in, and returns where the browser ends up.
func (w *world) signIn(t *testing.T, b *browser, user string) string {
	t.Helper()
	login := b.get(t, "/login?returnTo=/there")
	if login.Code != http.StatusSeeOther {
		t.Fatalf("login: %d %s", login.Code, login.Body)
	}
	callback := b.get(t, w.provider.authorize(t, login.Header().Get("Location"), user))
	if callback.Code != http.StatusSeeOther {
		t.Fatalf("callback: %d %s", callback.Code, callback.Body)
	}
	return callback.Header().Get("Location")
}

// shown is what "/" and "/peek" say.
type shown struct {
	Session    session.Session
	Token, Key string
}

func (b *browser) see(t *testing.T, target string) shown {
	t.Helper()
	rec := b.get(t, target)
	var s shown
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
	}
	return s
}

// provider is an OpenID provider that can be told to do wrong.
type provider struct {
	*upstreamtest.Transport

	key *ecdsa.PrivateKey

	mu       sync.Mutex
	grants   map[string]grant // by code
	refresh  map[string]grant // by refresh token
	calls    int              // of the token endpoint
	lifetime time.Duration    // of access tokens
	slow     time.Duration    // how long a token call takes
	// changeID changes an ID token before it is signed; answer replaces the token endpoint's answer.
	changeID func(jwt.MapClaims)
	answer   *upstreamtest.Answer
}

type grant struct{ user, nonce, challenge string }

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{
		Transport: &upstreamtest.Transport{}, key: key, grants: map[string]grant{}, refresh: map[string]grant{}, lifetime: 5 * time.Minute,
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	p.Answer("/keys", upstreamtest.Answer{Body: `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"1","x":"` + x + `","y":"` + y + `"}]}`})
	p.announce(`"id_token_signing_alg_values_supported":["ES256"],"authorization_response_iss_parameter_supported":true,"end_session_endpoint":"` + issuer + `/bye"`)
	p.Handle("/token", p.token)
	return p
}

// announce sets what the provider says about itself, beside its endpoints.
func (p *provider) announce(more string) {
	p.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Body: `{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer +
		`/authorize","token_endpoint":"` + issuer + `/token","jwks_uri":"` + issuer + `/keys",` + more + `}`})
}

// authorize signs a user in at the provider, and returns the path to which it sends the browser back.
func (p *provider) authorize(t *testing.T, loginURL, user string) string {
	t.Helper()
	location, err := url.Parse(loginURL)
	if err != nil {
		t.Fatal(err)
	}
	asked := location.Query()
	if asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != external+"/callback" || asked.Get("client_id") != "app" {
		t.Errorf("the provider is asked %s", loginURL)
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants[code] = grant{user, asked.Get("nonce"), asked.Get("code_challenge")}
	return "/callback?" + url.Values{"code": {code}, "state": {asked.Get("state")}, "iss": {issuer}}.Encode()
}

// token is the token endpoint.
func (p *provider) token(req *http.Request) upstreamtest.Answer {
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
	if p.answer != nil {
		return *p.answer
	}
	if id, password, _ := req.BasicAuth(); id != "app" || password != "hunter2" {
		return upstreamtest.Answer{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client"}`}
	}
	var granted grant
	known := false
	switch form.Get("grant_type") {
	case "authorization_code":
		granted, known = p.grants[form.Get("code")]
		delete(p.grants, form.Get("code"))
		challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
		known = known && base64.RawURLEncoding.EncodeToString(challenge[:]) == granted.challenge
	case "refresh_token":
		granted, known = p.refresh[form.Get("refresh_token")]
		delete(p.refresh, form.Get("refresh_token"))
	}
	if !known {
		return upstreamtest.Answer{Status: http.StatusBadRequest, Body: `{"error":"invalid_grant"}`}
	}
	return upstreamtest.Answer{After: p.slow, Body: p.tokens(granted)}
}

// tokens is a good answer of the token endpoint. The caller holds the lock.
func (p *provider) tokens(granted grant) string {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": issuer, "aud": "app", "sub": granted.user, "nonce": granted.nonce, "sid": "sid-" + granted.user, "name": "Name of " + granted.user,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	if p.changeID != nil {
		p.changeID(claims)
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["kid"] = "1"
	id, err := unsigned.SignedString(p.key)
	if err != nil {
		panic(err)
	}
	next := rand.Text()
	p.refresh[next] = granted
	return fmt.Sprintf(`{"access_token":"access-%d-%s","token_type":"Bearer","expires_in":%d,"refresh_token":%q,"id_token":%q,"scope":"openid orders"}`,
		p.calls, granted.user, int(p.lifetime.Seconds()), next, id)
}

func (p *provider) tokenCalls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// set changes how the provider behaves.
func (p *provider) set(change func(*provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func codeOf(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil && strings.HasPrefix(rec.Header().Get("Content-Type"), problem.ContentType) {
		t.Fatal(err)
	}
	return p.Code
}
