package session_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream"
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
	provider *sessiontest.Provider
	redis    redis.UniversalClient

	mu     sync.Mutex
	ended  []session.Session
	failed error // the last one, as the log has it
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
	w := &world{provider: newProvider(t), redis: client}
	w.Handler = w.application(t, client, change)
	return w
}

// inBubble runs a test under a clock of its own, with an application and a browser. The clock of its Redis is another one.
func inBubble(t *testing.T, server *miniredis.Miniredis, test func(t *testing.T, w *world, b *browser)) {
	t.Helper()
	addr := server.Addr()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, connect(t, addr), nil)
		test(t, w, w.browser())
	})
}

// expired is when the access token of a login has to have been renewed.
const expired = 5*time.Minute + time.Second

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
	fail := func(rw http.ResponseWriter, _ *http.Request, err error) {
		w.mu.Lock()
		w.failed = err
		w.mu.Unlock()
		_ = problem.From(err).Write(rw)
	}
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
	callback := b.get(t, w.provider.Authorize(t, login.Header().Get("Location"), user))
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

func newProvider(t *testing.T) *sessiontest.Provider {
	t.Helper()
	return sessiontest.NewProvider(t, sessiontest.Client{ID: "app", Secret: "hunter2", Callback: external + "/callback"}, issuer)
}

func codeOf(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil && strings.HasPrefix(rec.Header().Get("Content-Type"), problem.ContentType) {
		t.Fatal(err)
	}
	return p.Code
}
