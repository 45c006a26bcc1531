package webapp_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"bff.internal/bff-web/api"
	"bff.internal/bff-web/webapp"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/secret"
	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream/upstreamtest"
	"bff.internal/shared/web/contracttest"
)

// TestMain gives the library of the sockets the seconds that it takes to end all it has begun.
func TestMain(m *testing.M) {
	code := m.Run()
	leaked := goleak.Find()
	for end := time.Now().Add(10 * time.Second); leaked != nil && time.Now().Before(end); {
		leaked = goleak.Find()
	}
	if code == 0 && leaked != nil {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	os.Exit(code)
}

const (
	external = "https://app.test"
	issuer   = "https://issuer.test"
)

// bff is bff-web over a scripted network, and a browser that talks to it.
type bff struct {
	http.Handler

	provider *sessiontest.Provider // whose script also answers for the services
	redis    *miniredis.Miniredis
	contract *contracttest.Contract
	cookies  map[string]string
}

// newBFF returns bff-web with services that answer well.
func newBFF(t *testing.T) bff {
	t.Helper()
	server := miniredis.RunT(t)
	provider := sessiontest.NewProvider(t, sessiontest.Client{ID: "bff-web", Secret: "hunter2", Callback: external + "/web/callback"}, issuer)
	provider.Answer("/users/me", upstreamtest.Answer{Body: userJSON})
	provider.Answer("/orders", upstreamtest.Answer{Body: ordersJSON})
	provider.Answer("/metrics", upstreamtest.Answer{Body: metricsJSON})
	return bff{
		Handler:  webapp.New(config(t), platformtest.WithRedis(t, provider, "redis://"+server.Addr())),
		provider: provider, redis: server, contract: contracttest.Load(t, api.Contract), cookies: map[string]string{},
	}
}

func config(t *testing.T) webapp.Config {
	t.Helper()
	cfg := webapp.DefaultConfig()
	cfg.Web.ExternalURL, cfg.Web.MaxBody = url.URL{Scheme: "https", Host: "app.test"}, 1<<20
	cfg.Session.Issuer, cfg.Session.ClientSecret, cfg.Session.Scopes = issuer, secret.New("hunter2"), []string{"openid", "offline_access"}
	cfg.Session.Keys = secret.New("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	cfg.Session.Idle, cfg.Session.Lifetime = 30*time.Minute, 12*time.Hour
	cfg.Users = upstreamtest.Replicas(t, "http://users.test")
	cfg.Orders = upstreamtest.Replicas(t, "http://orders.test")
	cfg.Analytics = upstreamtest.Replicas(t, "http://analytics.test")
	return cfg
}

// ask sends a request as the browser would, with more headers or other ones, and holds the answer to the contract.
func (b bff) ask(t *testing.T, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, external+target, http.NoBody)
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	for _, cookie := range rec.Result().Cookies() {
		b.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	b.contract.CheckAnswer(t, req, rec)
	return rec
}

// call is ask with the header that pages send.
func (b bff) call(t *testing.T, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	return b.ask(t, method, target, session.CSRFHeader, "1")
}

// signIn signs ada in.
func (b bff) signIn(t *testing.T) {
	t.Helper()
	b.signInAs(t, "ada")
}

// signInAs signs a user in.
func (b bff) signInAs(t *testing.T, user string) {
	t.Helper()
	login := b.ask(t, http.MethodGet, "/web/login?returnTo=/web/%23orders")
	callback := b.ask(t, http.MethodGet, b.provider.Authorize(t, login.Header().Get("Location"), user))
	if callback.Code != http.StatusSeeOther || b.cookies["__Host-session"] == "" {
		t.Fatalf("signing in: %d %s", callback.Code, callback.Body)
	}
}

// signedIn is bff-web with ada signed in.
func signedIn(t *testing.T) bff {
	t.Helper()
	b := newBFF(t)
	b.signIn(t)
	return b
}

// What the services answer, as they really do.
var (
	//go:embed testdata/upstream/user.json
	userJSON string
	//go:embed testdata/upstream/orders.json
	ordersJSON string
	//go:embed testdata/upstream/metrics.json
	metricsJSON string
)
