package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"bff.internal/shared/secret"
)

const (
	// discoverWithin bounds the fetch of the provider's metadata.
	discoverWithin = 3 * time.Second
	// tokenWithin bounds a call of the token endpoint, and a fetch of the keys. Some providers take seconds, and a call
	// that is given up may have used the refresh token.
	tokenWithin = 10 * time.Second
	maxAnswer   = 256 << 10
	maxCause    = 300 // bytes of somebody else's error in the log
)

// provider is the OpenID provider, as a confidential client sees it.
type provider struct {
	cfg      Config
	callback string // where it sends browsers back to
	client   *http.Client
	found    atomic.Pointer[discovered]
	looking  singleflight.Group
}

// discovered is what the provider says about itself. It is asked once: these things change as often as a deployment.
type discovered struct {
	oauth      oauth2.Config
	keys       oidc.KeySet
	algorithms []string
	endSession string
	// namesItself means that answers to the browser carry iss (RFC 9207).
	namesItself bool
}

// awayError is a provider that did not answer, or not with an answer of its own.
type awayError struct{ error }

// Unwrap returns what went wrong.
func (e awayError) Unwrap() error { return e.error }

// refusedError is a provider that says no.
type refusedError struct{ code string }

// Error says why, in the provider's word.
func (e refusedError) Error() string { return "the provider says " + e.code }

var errIDToken = errors.New("the ID token is not an answer to our question")

func newProvider(cfg Config, callback string, transport http.RoundTripper) *provider {
	return &provider{cfg: cfg, callback: callback, client: &http.Client{
		Transport:     reach{cfg.Issuer, cfg.InternalURL, transport},
		Timeout:       tokenWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// metadata returns what the provider says about itself; asked until it is known. The error is that of ctx or an awayError.
func (p *provider) metadata(ctx context.Context) (*discovered, error) {
	if known := p.found.Load(); known != nil {
		return known, nil
	}
	return share(ctx, &p.looking, "", p.discover)
}

// discover asks the provider. Every error is an awayError.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), discoverWithin)
	defer cancel()
	said, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, awayError{shortened(err)}
	}
	var more struct {
		Keys        string   `json:"jwks_uri"`                                       //nolint:tagliatelle // OpenID Connect Discovery says so
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`          //nolint:tagliatelle // the same
		EndSession  string   `json:"end_session_endpoint"`                           //nolint:tagliatelle // RP-Initiated Logout says so
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"` //nolint:tagliatelle // RFC 9207 says so
	}
	if err := said.Claims(&more); err != nil {
		return nil, awayError{shortened(err)}
	}
	endpoint := said.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // finding out by trying would double the token calls
	for name, address := range map[string]string{
		"authorization_endpoint": endpoint.AuthURL, "token_endpoint": endpoint.TokenURL, "jwks_uri": more.Keys,
	} {
		if checkURL(name, strings.SplitN(address, "?", 2)[0]) != nil {
			return nil, awayError{fmt.Errorf("its metadata has no usable %s", name)}
		}
	}
	if checkURL("end_session_endpoint", strings.SplitN(more.EndSession, "?", 2)[0]) != nil {
		more.EndSession = "" // none, or none that a browser should be sent to
	}
	known := &discovered{
		oauth: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret.Reveal(),
			Endpoint: endpoint, RedirectURL: p.callback, Scopes: p.cfg.Scopes,
		},
		keys:        oidc.NewRemoteKeySet(ctx, more.Keys),
		algorithms:  asymmetric(more.Algorithms),
		endSession:  more.EndSession,
		namesItself: more.NamesItself,
	}
	p.found.Store(known)
	return known, nil
}

// asymmetric leaves out what would make a public key or nothing at all the proof; go-oidc assumes RS256 for none.
func asymmetric(announced []string) []string {
	var kept []string
	for _, algorithm := range announced {
		switch algorithm {
		case oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA:
			kept = append(kept, algorithm)
		}
	}
	return kept
}

// loginURL is where a browser goes to sign in.
func (d *discovered) loginURL(a attempt, state string) string {
	return d.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(a.Verifier), oidc.Nonce(a.Nonce))
}

// logoutURL is where a browser goes to be forgotten by the provider (OpenID Connect RP-Initiated Logout 1.0); home
// when the provider knows no such thing.
func (d *discovered) logoutURL(idToken secret.String, home string) string {
	if d.endSession == "" {
		return home
	}
	target, err := url.Parse(d.endSession)
	if err != nil {
		return home
	}
	query := target.Query()
	query.Set("client_id", d.oauth.ClientID)
	query.Set("post_logout_redirect_uri", home)
	if !idToken.IsZero() {
		query.Set("id_token_hint", idToken.Reveal())
	}
	target.RawQuery = query.Encode()
	return target.String()
}

// exchange turns the code of a login into the record of a session, but for its end. The error is an awayError, a
// refusedError or errIDToken.
func (p *provider) exchange(ctx context.Context, d *discovered, code string, a attempt) (record, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), tokenWithin)
	defer cancel()
	token, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return record{}, grantError(err)
	}
	id, err := p.verify(ctx, d, token)
	if err == nil && id.nonce != a.Nonce {
		err = errors.Join(errIDToken, errors.New("its nonce is another one"))
	}
	if err != nil {
		return record{}, err
	}
	return record{
		subject: id.subject, name: id.name, providerSession: id.providerSession, idToken: id.raw,
		tokens: newTokens(token, tokens{scopes: strings.Join(p.cfg.Scopes, " ")}),
	}, nil
}

// shortened is an error of a library that may quote a whole body.
func shortened(err error) error {
	if text := err.Error(); len(text) > maxCause {
		return errors.New(text[:maxCause] + "…")
	}
	return err
}
