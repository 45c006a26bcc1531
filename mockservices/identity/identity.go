// Package identity stands in for a company's OpenID provider. The protocol is done by zitadel/oidc: whatever a client
// can ask for is a method of server, and what server has no method for is neither announced nor answered.
package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/standin"
)

// DevPartnerSecret is the secret of the client bff-partner on a developer's machine. It is public: use it nowhere else.
const DevPartnerSecret = "dev-only-partner-secret"

// AccessTokenLifetime is how long access tokens are good for.
const AccessTokenLifetime = 5 * time.Minute

// Where things are, below the issuer.
const (
	grantPath = "/oauth/token"
	keysPath  = "/keys"
	maxForm   = 64 << 10 // bytes of a form
)

// Config is what a provider must be told.
type Config struct {
	// Issuer is the issuer's URL exactly as tokens name it: http or https, without path, query or fragment.
	// It may differ from where the provider is reached.
	Issuer string
	// PartnerSecret is the secret of the client bff-partner; required.
	PartnerSecret string
}

// Provider is the OpenID provider: an [http.Handler] that needs no closing and is safe for concurrent use.
type Provider struct {
	http.Handler

	issuer  string
	clients map[string]client
	keys    *keyRing
}

// New is a provider with one new signing key.
func New(cfg Config) (*Provider, error) {
	if err := op.ValidateIssuer(cfg.Issuer, true); err != nil {
		return nil, fmt.Errorf("issuer %q: %w", cfg.Issuer, err)
	}
	// Its routes are at the root, whatever op would allow.
	if issuer, err := url.Parse(cfg.Issuer); err != nil || issuer.Scheme+"://"+issuer.Host != cfg.Issuer {
		return nil, fmt.Errorf("issuer %q is not a scheme and a host, with nothing after it", cfg.Issuer)
	}
	if cfg.PartnerSecret == "" {
		return nil, errors.New("the secret of the client bff-partner is missing")
	}
	keys, err := newKeyRing()
	if err != nil {
		return nil, err
	}
	p := &Provider{issuer: cfg.Issuer, clients: clientTable(cfg.PartnerSecret), keys: keys}
	// Browsers have no business at these endpoints, so no origin gets CORS headers.
	protocol := op.RegisterServer(server{provider: p}, endpoints(), op.WithServerCORSOptions(nil))
	p.Handler = standin.New(
		standin.Table{
			oidc.DiscoveryEndpoint: {http.MethodGet: protocol.ServeHTTP},
			keysPath:               {http.MethodGet: protocol.ServeHTTP},
			grantPath:              {http.MethodPost: tokenEndpoint(protocol)},
		},
		standin.Table{"/_rotate": {http.MethodPost: p.rotate}},
	)
	return p, nil
}

// Rotate makes a new signing key and returns its id. The keys before it stay published until they are retired;
// there are at most eight, and one more retires the oldest.
func (p *Provider) Rotate() (kid string, err error) {
	return p.keys.rotate()
}

// Retire takes a key out of the published set, so that what it signed is no longer good. The key that signs at the
// moment cannot be retired.
func (p *Provider) Retire(kid string) error {
	return p.keys.retire(kid)
}

// rotate is POST /_rotate: the HTTP form of Rotate, open to everybody.
func (p *Provider) rotate(w http.ResponseWriter, _ *http.Request) {
	kid, err := p.Rotate()
	if err != nil {
		answer.Error(w, err)
		return
	}
	answer.JSON(w, http.StatusOK, struct {
		KID string `json:"kid"`
	}{kid})
}

// endpoints are the optional ones that op routes: those that are nil do not exist.
func endpoints() op.Endpoints {
	return op.Endpoints{Token: op.NewEndpoint(grantPath), JwksURI: op.NewEndpoint(keysPath)}
}

// tokenEndpoint adds what RFC 6749 asks of a token endpoint and op leaves out: nothing of an answer is stored, nothing
// is taken from the query, where secrets would end up in logs, and a 401 says how to authenticate.
func tokenEndpoint(protocol http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.URL.RawQuery = ""
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		protocol.ServeHTTP(challenger{w}, r)
	}
}

// challenger adds WWW-Authenticate to a 401.
type challenger struct {
	http.ResponseWriter
}

// WriteHeader is [http.ResponseWriter]'s.
func (c challenger) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", `Basic realm="identity"`)
	}
	c.ResponseWriter.WriteHeader(status)
}
