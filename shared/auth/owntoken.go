package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
)

const (
	// ownTokenWithin bounds a call of the token endpoint, discovery included.
	ownTokenWithin = 5 * time.Second
	// firstTokenWithin is how long a request waits for the first token of a process that has just started.
	firstTokenWithin = time.Second
	// askAgainAfter is the pause after a call that brought no token.
	askAgainAfter = time.Second
	// longestUse is when a token is replaced that lives longer.
	longestUse = time.Hour
	// complainEvery keeps the log of an issuer that stays away short.
	complainEvery = time.Minute
)

// OwnTokenConfig is the part of a BFF's configuration that says as which client it calls services in its own name.
type OwnTokenConfig struct {
	Issuer       string        `env:"ISSUER,required" help:"who issues the access token of this BFF, such as https://id.example.com; its token endpoint is found by OpenID discovery"`
	InternalURL  string        `env:"ISSUER_INTERNAL_URL" help:"where this process reaches the issuer when that differs from ISSUER, such as http://identity:9000"`
	ClientID     string        `env:"OIDC_CLIENT_ID" help:"the id of this BFF at the issuer"`
	ClientSecret secret.String `env:"OIDC_CLIENT_SECRET,required" help:"the secret of that client"`
	Scopes       []string      `env:"OIDC_SCOPES" help:"comma-separated scopes to ask for; none by default, which leaves it to the issuer"`
}

// Validate names the variable that is wrong and what it wants. No secret is in it.
func (c OwnTokenConfig) Validate() error {
	if err := checkIssuer(c.Issuer, c.InternalURL); err != nil {
		return err
	}
	if c.ClientID == "" || strings.ContainsFunc(c.ClientID, func(r rune) bool { return !scopeRune(r) }) {
		return fmt.Errorf("OIDC_CLIENT_ID: %q is no client; wants visible ASCII characters, such as bff-partner", c.ClientID)
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return !scopeRune(r) }) {
			return fmt.Errorf("OIDC_SCOPES: %q is no scope; wants names separated by commas, such as api", scope)
		}
	}
	return nil
}

// OwnToken is the access token by which a BFF calls services in its own name (RFC 6749, section 4.4). Run keeps it
// fresh, so no request asks for one and there is never more than one call of the token endpoint at a time.
type OwnToken struct {
	cfg     OwnTokenConfig
	issuer  issuer
	log     *slog.Logger
	current atomic.Pointer[ownToken]

	tried    chan struct{} // closed when the first call is over, whatever it brought
	markOnce sync.Once
	refused  chan struct{} // has an entry when a service has refused the current token
}

// ownToken is a token and its times.
type ownToken struct {
	access           secret.String
	renewAt, expires time.Time
}

// NewOwnToken returns the token of the client that cfg names. There is none before Run runs.
func NewOwnToken(cfg OwnTokenConfig, transport http.RoundTripper, log *slog.Logger) *OwnToken {
	return &OwnToken{cfg: cfg, issuer: newIssuer(cfg.Issuer, cfg.InternalURL, transport), log: log, tried: make(chan struct{}), refused: make(chan struct{}, 1)}
}

// Run gets the token until ctx ends, and a new one in time: 30 s before the end of each, at four fifths of a short life,
// after an hour of a long one, or when a service has refused it. When the issuer gives none, it is asked again every
// second, and never more often; the token before serves until its end. Run always returns nil.
func (t *OwnToken) Run(ctx context.Context) error {
	var complained time.Time
	for {
		earliest := time.Now().Add(askAgainAfter)
		next := earliest
		token, err := t.fetch(ctx)
		switch {
		case err == nil:
			t.current.Store(token)
			select {
			case <-t.refused: // the one before
			default:
			}
			complained = time.Time{}
			if token.renewAt.After(next) {
				next = token.renewAt
			}
		case ctx.Err() == nil && time.Since(complained) >= complainEvery:
			complained = time.Now()
			t.log.WarnContext(ctx, "no access token of our own", "client", t.cfg.ClientID, "error", err.Error())
		}
		t.markOnce.Do(func() { close(t.tried) })
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		case <-t.refused:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Until(earliest)):
			}
		}
	}
}

// Tried returns when the first call of Run is over, whatever it brought, or when ctx ends: before that requests would
// wait.
func (t *OwnToken) Tried(ctx context.Context) {
	select {
	case <-t.tried:
	case <-ctx.Done():
	}
}

// OnBehalf returns a middleware for requests whose context carries a Caller: services are called with our token, and
// the caller's key tells answers for different callers apart. Without a token fail gets a 503.
func (t *OwnToken) OnBehalf(fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller, ok := CallerFrom(r.Context())
			if !ok {
				panic("auth: OnBehalf of nobody") // the route lacks the middleware that authenticates
			}
			token, err := t.get(r.Context())
			if err != nil {
				fail(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(upstream.WithCredentials(r.Context(), upstream.Credentials{
				Token: token.access, Key: caller.Key(t.cfg.Issuer), Ours: true, Refused: func() { t.replace(token) },
			})))
		})
	}
}

// replace wakes Run when a service has refused the token, unless there is another one already.
func (t *OwnToken) replace(token *ownToken) {
	if t.current.Load() != token {
		return
	}
	select {
	case t.refused <- struct{}{}:
	default: // it has been woken
	}
}

// get returns the token that is good now. Only in a process that has just started does it wait for one.
func (t *OwnToken) get(ctx context.Context) (*ownToken, error) {
	if t.current.Load() == nil {
		first, cancel := context.WithTimeout(ctx, firstTokenWithin)
		defer cancel()
		t.Tried(first)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	token := t.current.Load()
	if token == nil || !time.Now().Before(token.expires) {
		return nil, problem.New(http.StatusServiceUnavailable, "identity_unavailable",
			"The services behind cannot be called at the moment. Please try again.").
			RetryAfter(askAgainAfter).Because(errNoOwnToken)
	}
	return token, nil
}

var errNoOwnToken = errors.New("the issuer has given no access token of our own")

// fetch asks the token endpoint. The error says nothing that the endpoint said, but for the code of RFC 6749.
func (t *OwnToken) fetch(ctx context.Context) (*ownToken, error) {
	ctx, cancel := context.WithTimeout(ctx, ownTokenWithin)
	defer cancel()
	said, err := t.issuer.metadata(ctx)
	if err != nil {
		return nil, err
	}
	endpoint, err := t.issuer.locate(said.TokenEndpoint)
	if err != nil {
		return nil, fmt.Errorf("token_endpoint %.100q: %w", said.TokenEndpoint, err)
	}
	grant := clientcredentials.Config{
		ClientID: t.cfg.ClientID, ClientSecret: t.cfg.ClientSecret.Reveal(), TokenURL: endpoint, Scopes: t.cfg.Scopes,
		AuthStyle: oauth2.AuthStyleInHeader, // finding out by trying would double the calls
	}
	token, err := grant.Token(context.WithValue(ctx, oauth2.HTTPClient, t.issuer.client))
	if err != nil {
		return nil, grantError(err)
	}
	if !strings.EqualFold(token.Type(), "Bearer") || !isB64Token(token.AccessToken) || len(token.AccessToken) > maxToken {
		return nil, errors.New("the token endpoint gave no bearer token that can be used")
	}
	renewAt, expires := Lifetime(token.Expiry)
	if !time.Now().Before(expires) {
		return nil, errors.New("the token endpoint gave a token that has expired")
	}
	if latest := time.Now().Add(longestUse); renewAt.After(latest) {
		renewAt = latest
	}
	return &ownToken{access: secret.New(token.AccessToken), renewAt: renewAt, expires: expires}, nil
}

func grantError(err error) error {
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok && answer.Response != nil {
		return fmt.Errorf("the token endpoint answered %d %.40q", answer.Response.StatusCode, answer.ErrorCode)
	}
	return Unanswered(err)
}

// Unanswered is what may be said of an error of a token endpoint that gave no answer which can be read: the error itself
// may quote what it sent, such as a token.
func Unanswered(err error) error {
	if around, ok := errors.AsType[*url.Error](err); ok {
		err = around.Err
	}
	if upstream.Quotable(err) {
		return err
	}
	return errors.New("the token endpoint gave no answer that can be read")
}
