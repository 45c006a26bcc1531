package credentials_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/devstack/credentials"
	"bff.internal/mockservices/identity"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the OpenID library announces its routes
	goleak.VerifyTestMain(m)
}

// How the outside calls the servers of a test. No name server knows these names.
const (
	edgeURL = "http://edge.test:8080"
	issuer  = "http://identity.test"
)

// world is where users sign in: a real Identity, and an edge with as much of bff-web as a login needs. A test may
// replace either before it asks.
type world struct {
	edge, identity http.Handler
	cfg            credentials.Config
	log            bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	provider, err := identity.New(identity.Config{Issuer: issuer, PartnerSecret: identity.DevPartnerSecret, WebURL: edgeURL})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{edge: http.HandlerFunc(bffWeb), identity: provider}
	w.cfg = credentials.Config{
		Edge: parse(t, edgeURL), EdgeInternal: serve(t, edgeURL, &w.edge),
		Issuer: parse(t, issuer), IssuerInternal: serve(t, issuer, &w.identity),
		Password: identity.DevPassword, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	return w
}

// serve serves the handler, to those only who call it by its outside name.
func serve(t *testing.T, outside string, handler *http.Handler) url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if "http://"+r.Host != outside {
			t.Errorf("%s is called %s", outside, r.Host)
		}
		(*handler).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return parse(t, server.URL)
}

func parse(t *testing.T, raw string) url.URL {
	t.Helper()
	parsed, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return *parsed
}

// bffWeb sends the browser to Identity and gives a session to the browser that comes back, in exchange for the cookie of
// its login.
func bffWeb(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/web/login":
		http.SetCookie(w, &http.Cookie{Name: "__Host-login", Value: "s", Path: "/", Secure: true})
		http.Redirect(w, r, issuer+"/authorize?"+url.Values{
			"client_id": {"bff-web"}, "redirect_uri": {edgeURL + "/web/callback"}, "response_type": {"code"}, "state": {"s"},
			"code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("c", 43)},
		}.Encode(), http.StatusFound)
	case "/web/callback":
		if begun, err := r.Cookie("__Host-login"); err == nil && begun.Value == r.FormValue("state") && r.FormValue("code") != "" {
			http.SetCookie(w, &http.Cookie{Name: "__Host-login", MaxAge: -1, Path: "/", Secure: true})
		}
		http.Redirect(w, r, "/web/open", http.StatusFound)
	case "/web/open":
		if _, err := r.Cookie("__Host-login"); err != nil {
			http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: "opened", Path: "/", Secure: true})
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (w *world) ask(t *testing.T, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	credentials.New(w.cfg).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody))
	return answer
}

func TestTheMobileAppsTokenIsThatOfARealLogin(t *testing.T) {
	t.Parallel()
	for query, user := range map[string]string{"": "ada", "?user=grace": "grace", "?user=u-1000000": "u-1000000", "?user=a%26b%3D%22": `a&b="`} {
		w := newWorld(t)
		answer := w.ask(t, http.MethodGet, "http://localhost:8080/dev/credentials"+query)
		var got struct{ Mobile struct{ Token string } }
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v: %s", err, answer.Body)
		}
		if diff := cmp.Diff(map[string]any{"sub": user, "aud": "bff-mobile", "client_id": "mobile-app", "iss": issuer}, claims(t, got.Mobile.Token)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", user, diff)
		}
		wantBody, err := json.Marshal(map[string]any{
			"mobile": map[string]string{"token": got.Mobile.Token}, "web": map[string]string{"username": user, "password": "demo"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode(t, wantBody), decode(t, answer.Body.Bytes())); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", user, diff)
		}
		if answer.Header().Get("Content-Type") != "application/json" || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", answer.Header())
		}
	}
}

// claims returns those of a token that say whose it is.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	all := decode(t, payload)
	return map[string]any{"sub": all["sub"], "aud": all["aud"], "client_id": all["client_id"], "iss": all["iss"]}
}

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return all
}

func TestTheWebSessionIsThatOfARealLogin(t *testing.T) {
	t.Parallel()
	answer := newWorld(t).ask(t, http.MethodGet, "http://127.0.0.1:8080/dev/session?user=grace")
	if want := `{"cookie":"__Host-session=opened"}` + "\n"; answer.Code != http.StatusOK || answer.Body.String() != want {
		t.Errorf("%d %s, want %s", answer.Code, answer.Body, want)
	}
}

func TestThePartnersKeyIsWhatTheConfigurationSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.PartnerKey = func(context.Context) (string, error) { return "k-1", nil }
	if answer := w.ask(t, http.MethodGet, "http://localhost/dev/credentials"); !strings.Contains(answer.Body.String(), `"partner":{"key":"k-1"}`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWhoAsksForSomethingElseIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, target string
		status               int
		code                 string
	}{
		{"a user without a name", "GET", "http://localhost/dev/credentials?user=", 400, "invalid_user"},
		{"a user with a space", "GET", "http://localhost/dev/session?user=a%20b", 400, "invalid_user"},
		{"a user with a long name", "GET", "http://localhost/dev/session?user=" + strings.Repeat("a", 65), 400, "invalid_user"},
		{"another method", "POST", "http://localhost/dev/session", 405, "method_not_allowed"},
		{"another path", "GET", "http://localhost/dev/", 404, "not_found"},
		{"a name that somebody points here", "GET", "http://evil.example/dev/credentials", 421, "wrong_host"},
		{"a name that begins like ours", "GET", "http://localhost.evil.example:8080/dev/session", 421, "wrong_host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer := newWorld(t).ask(t, tt.method, tt.target)
			if got := decode(t, answer.Body.Bytes()); answer.Code != tt.status || got["code"] != tt.code {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			if allow := answer.Header().Get("Allow"); (tt.status == http.StatusMethodNotAllowed) != (allow == "GET, HEAD") {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
}
