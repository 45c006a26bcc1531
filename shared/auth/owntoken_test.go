package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
)

// tokenEndpoint is a scripted issuer of tokens: a transport.
type tokenEndpoint struct {
	metadata string        // what it says about itself; "" is what is right
	takes    time.Duration // how long it thinks about a token

	mu     sync.Mutex
	status int    // 0 is 200
	body   string // %d is the number of the call
	down   bool
	calls  []string // method, address, client, secret and form of each call
}

func (e *tokenEndpoint) say(status int, body string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.body, e.down = status, body, status == 0
}

func (e *tokenEndpoint) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

func (e *tokenEndpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		said := e.metadata
		if said == "" {
			said = `{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/token"}`
		}
		if e.down {
			return nil, errors.New("connection refused")
		}
		_, _ = rec.WriteString(said)
		return rec.Result(), nil
	}
	id, password, _ := r.BasicAuth()
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	e.calls = append(e.calls, fmt.Sprint(r.Method, " ", r.URL, " ", id, " ", password, " ", r.PostForm.Encode()))
	if e.takes > 0 {
		select {
		case <-time.After(e.takes):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if e.down {
		return nil, errors.New("connection refused")
	}
	rec.WriteHeader(e.status)
	if strings.Contains(e.body, "%d") {
		_, _ = fmt.Fprintf(rec, e.body, len(e.calls))
	} else {
		_, _ = rec.WriteString(e.body)
	}
	return rec.Result(), nil
}

const goodToken = `{"access_token":"at-%d","token_type":"Bearer","expires_in":300}`

func ownConfig() auth.OwnTokenConfig {
	return auth.OwnTokenConfig{Issuer: issuerName, ClientID: "bff-partner", ClientSecret: secret.New("hunter2"), Scopes: []string{"api"}}
}

// withOwnToken runs a test under a clock of its own, with a token that is kept fresh. use sends a request of a caller
// and returns the token with which services would be called, or the code of the problem.
func withOwnToken(t *testing.T, endpoint *tokenEndpoint, test func(t *testing.T, use func() string, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		own := auth.NewOwnToken(ownConfig(), endpoint, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- own.Run(ctx) }()
		test(t, func() string { return tokenFor(ctx, own) }, &log)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func tokenFor(ctx context.Context, own *auth.OwnToken) string {
	var got string
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) { got = problem.From(err).Code }
	handler := own.OnBehalf(fail)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		credentials, _ := upstream.CredentialsFrom(r.Context())
		got = credentials.Token.Reveal()
	}))
	ctx = auth.WithCaller(ctx, auth.Caller{Kind: auth.KindPartner, ID: "acme"})
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
	return got
}

func TestOurOwnTokenIsAskedForOnceAndRenewedInTime(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: goodToken}
	withOwnToken(t, endpoint, func(t *testing.T, use func() string, _ *bytes.Buffer) {
		t.Helper()
		for range 100 {
			if got := use(); got != "at-1" {
				t.Fatal(got)
			}
		}
		time.Sleep(270*time.Second - time.Millisecond)
		if got := use(); got != "at-1" || endpoint.asked() != 1 {
			t.Errorf("renewed too early: %s after %d calls", got, endpoint.asked())
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := use(); got != "at-2" || endpoint.asked() != 2 {
			t.Errorf("not renewed 30 s before its end: %s after %d calls", got, endpoint.asked())
		}
	})
	want := "POST https://id.example.com/token bff-partner hunter2 grant_type=client_credentials&scope=api"
	for _, call := range endpoint.calls {
		if diff := cmp.Diff(want, call); diff != "" {
			t.Error(diff)
		}
	}
}

func TestATokenOfAShortLifeIsRenewedAtFourFifths(t *testing.T) {
	t.Parallel()
	for expiresIn, renewed := range map[string]time.Duration{`,"expires_in":10`: 8 * time.Second, "": 270 * time.Second} {
		endpoint := &tokenEndpoint{status: 200, body: `{"access_token":"at-%d","token_type":"bearer"` + expiresIn + `}`}
		withOwnToken(t, endpoint, func(t *testing.T, use func() string, _ *bytes.Buffer) {
			t.Helper()
			time.Sleep(renewed - time.Millisecond)
			if got := use(); got != "at-1" {
				t.Errorf("%s: %s too early", expiresIn, got)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if got := use(); got != "at-2" {
				t.Errorf("%s: %s too late", expiresIn, got)
			}
		})
	}
}

func TestATokenOfALongLifeIsRenewedEveryHour(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: `{"access_token":"at-%d","token_type":"Bearer","expires_in":86400}`}
	withOwnToken(t, endpoint, func(t *testing.T, use func() string, _ *bytes.Buffer) {
		t.Helper()
		time.Sleep(time.Hour - time.Millisecond)
		if got := use(); got != "at-1" {
			t.Errorf("too early: %s", got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := use(); got != "at-2" {
			t.Errorf("too late: %s", got)
		}
	})
}

func TestATokenThatIsExpiredAtOnceIsNotAskedForAllTheTime(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: `{"access_token":"a","token_type":"Bearer","expires_in":-5}`}
	withOwnToken(t, endpoint, func(t *testing.T, _ func() string, log *bytes.Buffer) {
		t.Helper()
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if calls := endpoint.asked(); calls != 11 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%d calls in ten seconds, want one a second; log: %s", calls, log)
		}
	})
}

func TestATokenThatAServiceRefusedIsReplacedOnce(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: goodToken}
	synctest.Test(t, func(t *testing.T) {
		own := auth.NewOwnToken(ownConfig(), endpoint, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = own.Run(ctx) }()
		// credentials are those with which a request calls services.
		credentials := func() (c upstream.Credentials) {
			handler := own.OnBehalf(nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c, _ = upstream.CredentialsFrom(r.Context()) }))
			caller := auth.WithCaller(ctx, auth.Caller{Kind: auth.KindPartner, ID: "acme"})
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(caller, http.MethodGet, "/", http.NoBody))
			return c
		}
		first := credentials()
		for range 100 {
			first.Refused()
		}
		time.Sleep(999 * time.Millisecond)
		if calls := endpoint.asked(); calls != 1 {
			t.Errorf("asked again within the second: %d calls", calls)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := credentials().Token.Reveal(); got != "at-2" || endpoint.asked() != 2 {
			t.Errorf("%s after %d calls, want another one after one more", got, endpoint.asked())
		}
		first.Refused() // by a service that took its time; the token is another one by now
		time.Sleep(time.Minute)
		synctest.Wait()
		if calls := endpoint.asked(); calls != 2 {
			t.Errorf("%d calls", calls)
		}
		stop()
	})
}

func TestWhileTheIssuerIsAwayTheOldTokenServesToItsEnd(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: goodToken}
	withOwnToken(t, endpoint, func(t *testing.T, use func() string, log *bytes.Buffer) {
		t.Helper()
		synctest.Wait()
		endpoint.say(0, "")
		time.Sleep(300*time.Second - time.Millisecond)
		if got := use(); got != "at-1" {
			t.Errorf("just before its end: %s", got)
		}
		time.Sleep(time.Millisecond)
		if got := use(); got != "identity_unavailable" {
			t.Errorf("at its end: %s", got)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if lines := strings.Count(log.String(), "\n"); lines < 8 || lines > 12 {
			t.Errorf("%d lines in ten and a half minutes:\n%s", lines, log)
		}
		endpoint.say(200, `{"access_token":"at-back","token_type":"Bearer","expires_in":300}`)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := use(); got != "at-back" {
			t.Errorf("a second after it is back: %s", got)
		}
	})
}

func TestTheFirstRequestsWaitForTheFirstToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		endpoint *tokenEndpoint
		want     string
		after    time.Duration
	}{
		{"that comes soon", &tokenEndpoint{status: 200, body: goodToken, takes: 900 * time.Millisecond}, "at-1", 900 * time.Millisecond},
		{"that takes too long", &tokenEndpoint{status: 200, body: goodToken, takes: 3 * time.Second}, "identity_unavailable", time.Second},
		{"that does not come", &tokenEndpoint{down: true}, "identity_unavailable", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			withOwnToken(t, tt.endpoint, func(t *testing.T, use func() string, _ *bytes.Buffer) {
				t.Helper()
				begun := time.Now()
				if got := use(); got != tt.want || time.Since(begun) != tt.after {
					t.Errorf("%s after %v, want %s after %v", got, time.Since(begun), tt.want, tt.after)
				}
			})
		})
	}
}

func TestAnswersThatAreNoToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		endpoint *tokenEndpoint
		logged   string
	}{
		{"a refusal", &tokenEndpoint{status: 401, body: `{"error":"invalid_client","error_description":"canary"}`}, `401 \"invalid_client\"`},
		{"a failure", &tokenEndpoint{status: 500, body: "canary"}, "500"},
		{"a redirect", &tokenEndpoint{status: 302, body: "canary"}, "302"},
		{"no token", &tokenEndpoint{status: 200, body: `{"token_type":"Bearer"}`}, "no answer that can be read"},
		{"a token of another kind", &tokenEndpoint{status: 200, body: `{"access_token":"canary","token_type":"DPoP"}`}, "no bearer token"},
		{"a token that has expired", &tokenEndpoint{status: 200, body: `{"access_token":"canary","token_type":"Bearer","expires_in":-5}`}, "has expired"},
		{"a token of 9 KB", &tokenEndpoint{status: 200, body: `{"access_token":"` + strings.Repeat("canary", 1500) + `","token_type":"Bearer"}`}, "no bearer token"},
		{"an answer that is no JSON", &tokenEndpoint{status: 200, body: `canary`}, "no answer that can be read"},
		{"a life that is no number", &tokenEndpoint{status: 200, body: `{"access_token":"a","token_type":"Bearer","expires_in":"canary"}`}, "no answer that can be read"},
		{"another issuer of many words", &tokenEndpoint{metadata: `{"issuer":"` + strings.Repeat("x", 200) + `canary"}`}, "is of the issuer"},
		{"a token with a line break", &tokenEndpoint{status: 200, body: `{"access_token":"canary\r\nX: y","token_type":"Bearer"}`}, "no bearer token"},
		{"another issuer", &tokenEndpoint{metadata: `{"issuer":"https://evil.example","token_endpoint":"https://id.example.com/token"}`}, "evil.example"},
		{"no token endpoint", &tokenEndpoint{metadata: `{"issuer":"https://id.example.com"}`}, "token_endpoint"},
		{"a token endpoint without TLS", &tokenEndpoint{metadata: `{"issuer":"https://id.example.com","token_endpoint":"http://id.example.com/token"}`}, "less safe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			withOwnToken(t, tt.endpoint, func(t *testing.T, use func() string, log *bytes.Buffer) {
				t.Helper()
				if got := use(); got != "identity_unavailable" {
					t.Error(got)
				}
				if text := log.String(); !strings.Contains(text, tt.logged) || strings.Contains(text, "canary") || strings.Contains(text, "hunter2") {
					t.Errorf("log: %s", text)
				}
			})
		})
	}
}

func TestServicesSeeOurTokenAndAnswersStayApart(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: goodToken}
	synctest.Test(t, func(t *testing.T) {
		own := auth.NewOwnToken(ownConfig(), endpoint, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = own.Run(ctx) }()
		keys := map[string]bool{}
		for _, id := range []string{"acme", "globex"} {
			handler := own.OnBehalf(nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				credentials, _ := upstream.CredentialsFrom(r.Context())
				if !credentials.Ours || credentials.Key == "" {
					t.Errorf("%+v", credentials)
				}
				keys[credentials.Key] = true
			}))
			caller := auth.WithCaller(ctx, auth.Caller{Kind: auth.KindPartner, ID: id})
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(caller, http.MethodGet, "/", http.NoBody))
		}
		if len(keys) != 2 {
			t.Errorf("two partners have the keys %v", keys)
		}
		stop()
	})
}

func TestARouteThatLetsAnybodyInIsAMistake(t *testing.T) {
	t.Parallel()
	own := auth.NewOwnToken(ownConfig(), &tokenEndpoint{}, slog.New(slog.DiscardHandler))
	defer func() {
		if said := recover(); said != "auth: OnBehalf of nobody" {
			t.Errorf("somebody without a name was let through: %v", said)
		}
	}()
	own.OnBehalf(func(http.ResponseWriter, *http.Request, error) {})(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
}

func TestOwnTokenConfigThatIsWrong(t *testing.T) {
	t.Parallel()
	for variable, change := range map[string]func(*auth.OwnTokenConfig){
		"ISSUER":              func(c *auth.OwnTokenConfig) { c.Issuer = "id.example.com" },
		"ISSUER_INTERNAL_URL": func(c *auth.OwnTokenConfig) { c.InternalURL = "identity:9000" },
		"OIDC_CLIENT_ID":      func(c *auth.OwnTokenConfig) { c.ClientID = "a b" },
		"OIDC_SCOPES":         func(c *auth.OwnTokenConfig) { c.Scopes = []string{"a b"} },
	} {
		cfg := ownConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), variable+": ") {
			t.Errorf("%s: %v", variable, err)
		}
	}
	if err := ownConfig().Validate(); err != nil {
		t.Error(err)
	}
}
