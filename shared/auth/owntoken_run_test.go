package auth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
)

func TestEveryOutageHasALineInTheLog(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{down: true}
	withOwnToken(t, endpoint, func(t *testing.T, _ func() string, log *bytes.Buffer) {
		t.Helper()
		synctest.Wait()
		endpoint.say(200, `{"access_token":"at-%d","token_type":"Bearer","expires_in":5}`)
		time.Sleep(2 * time.Second)
		endpoint.say(0, "")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d lines for two outages:\n%s", lines, log)
		}
	})
}

func TestWhoStopsIsNoOutage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		endpoint := &tokenEndpoint{status: 200, body: goodToken, takes: time.Second}
		own := auth.NewOwnToken(ownConfig(), endpoint, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		if err := own.Run(ctx); err != nil || log.Len() > 0 {
			t.Errorf("%v, %s", err, &log)
		}
	})
}

func TestATokenEndpointThatHangsIsGivenUpAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	endpoint := &tokenEndpoint{status: 200, body: goodToken, takes: time.Hour}
	withOwnToken(t, endpoint, func(t *testing.T, _ func() string, log *bytes.Buffer) {
		t.Helper()
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		if !strings.Contains(log.String(), "deadline exceeded") {
			t.Errorf("after five seconds: %s", log)
		}
	})
}

// refusal is what a request gets that is not let through, and after how long.
func refusal(ctx context.Context, own *auth.OwnToken) (refused *problem.Problem, after time.Duration) {
	begun := time.Now()
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) { refused = problem.From(err) }
	ctx = auth.WithCaller(ctx, auth.Caller{Kind: auth.KindPartner, ID: "acme"})
	own.OnBehalf(fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
	return refused, time.Since(begun)
}

func TestWhoLeavesWaitsForNoToken(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]*tokenEndpoint{
		"with a token":           {status: 200, body: goodToken},
		"while there is none":    {down: true},
		"while the first is due": {status: 200, body: goodToken, takes: 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			own := auth.NewOwnToken(ownConfig(), endpoint, slog.New(slog.DiscardHandler))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() { _ = own.Run(ctx) }()
			synctest.Wait()
			left, leave := context.WithCancel(t.Context())
			leave()
			if refused, after := refusal(left, own); refused == nil || refused.Status != problem.StatusClientGone || after != 0 {
				t.Errorf("%s: %v after %v", name, refused, after)
			}
		})
	}
}

func TestWithoutATokenItIsSaidWhenToTryAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		own := auth.NewOwnToken(ownConfig(), &tokenEndpoint{down: true}, slog.New(slog.DiscardHandler))
		refused, _ := refusal(t.Context(), own)
		if refused == nil || refused.Status != http.StatusServiceUnavailable || refused.Header("Retry-After") != "1" {
			t.Errorf("%+v", refused)
		}
	})
}

func TestTheTokenEndpointIsReachedWhereTheIssuerIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		endpoint := &tokenEndpoint{status: 200, body: goodToken}
		cfg := ownConfig()
		cfg.InternalURL = "https://identity.internal:9000"
		own := auth.NewOwnToken(cfg, endpoint, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = own.Run(ctx) }()
		synctest.Wait()
		want := "POST https://identity.internal:9000/token bff-partner hunter2 grant_type=client_credentials&scope=api"
		if len(endpoint.calls) != 1 || endpoint.calls[0] != want {
			t.Errorf("%v", endpoint.calls)
		}
	})
}

func TestOnBehalfOfNobodyIsAMistake(t *testing.T) {
	t.Parallel()
	own := auth.NewOwnToken(ownConfig(), &tokenEndpoint{}, slog.New(slog.DiscardHandler))
	defer func() {
		if said := recover(); said != "auth: OnBehalf of nobody" {
			t.Errorf("somebody without a name was let through: %v", said)
		}
	}()
	fail := func(http.ResponseWriter, *http.Request, error) {}
	own.OnBehalf(fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
}

func TestWhatIsMissingInTheOwnTokenConfigIsNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, variable string
		change         func(*auth.OwnTokenConfig)
	}{
		{"no client", "OIDC_CLIENT_ID", func(c *auth.OwnTokenConfig) { c.ClientID = "" }},
		{"an empty scope", "OIDC_SCOPES", func(c *auth.OwnTokenConfig) { c.Scopes = []string{"api", ""} }},
	} {
		cfg := ownConfig()
		tt.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.variable+": ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestWhatMayBeSaidOfATokenEndpointThatDidNotAnswer(t *testing.T) {
	t.Parallel()
	around := func(err error) error { return &url.Error{Op: "Post", URL: "https://id.example.com/token", Err: err} }
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		name string
		err  error
		says string
	}{
		{"no connection", around(refused), "dial tcp: connection refused"},
		{"no time", around(context.DeadlineExceeded), "context deadline exceeded"},
		{"nobody to wait for it", around(context.Canceled), "context canceled"},
		{"half an answer", around(io.ErrUnexpectedEOF), "unexpected EOF"},
		{"no HTTP, which is quoted", around(errors.New(`malformed HTTP response "hunter2"`)), "the token endpoint gave no answer that can be read"},
		{"no JSON, which is quoted", errors.New(`oauth2: cannot parse json: invalid character 'h' in "hunter2"`), "the token endpoint gave no answer that can be read"},
	} {
		if got := auth.Unanswered(tt.err).Error(); got != tt.says {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}
