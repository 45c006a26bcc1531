// Package identity stands in for a company's OpenID provider.
//
// What clients ask for is done with zitadel/oidc: each kind of request is a method of server, and what server has no
// method for is neither announced nor answered. What browsers ask for (authorize.go, login.go, endsession.go) is ours,
// for op knows neither pages nor the iss of RFC 9207 and reads redirect URIs more kindly than a provider should.
// All that is remembered is in one bounded memory, gone with the process.
package identity

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/standin"
)

// What is good enough on a developer's machine. It is public: use it nowhere else.
const (
	// DevPartnerSecret is the secret of the client bff-partner.
	DevPartnerSecret = "dev-only-partner-secret"
	// DevWebSecret is the secret of the client bff-web.
	DevWebSecret = "dev-only-web-secret" //nolint:gosec // it says so itself
	// DevWebURL is where browsers find bff-web.
	DevWebURL = "http://localhost:8080"
	// DevPassword is the password of every user.
	DevPassword = "demo"
)

// AccessTokenLifetime is how long access tokens are good for, unless the configuration says otherwise.
const AccessTokenLifetime = 5 * time.Minute

// Where things are, below the issuer.
const (
	authorizePath  = "/authorize"
	loginPath      = "/login"
	stylePath      = "/login.css"
	endSessionPath = "/end_session"
	grantPath      = "/oauth/token"
	keysPath       = "/keys"
)

// maxForm is the bytes of a form.
const maxForm = 64 << 10

// Config is what a provider must be told. Members other than Issuer and PartnerSecret may be zero, which means what a
// developer's machine needs.
type Config struct {
	// Issuer is the issuer's URL exactly as tokens name it: http or https, without path, query or fragment.
	// It may differ from where the provider is reached.
	Issuer string
	// PartnerSecret is the secret of the client bff-partner; required.
	PartnerSecret string
	// WebSecret is the secret of the client bff-web; empty means DevWebSecret.
	WebSecret string
	// WebURL is where browsers find bff-web, http or https, without path, query or fragment: answers to its logins go
	// to /web/callback below it, and after signing out browsers may go to /web/. Empty means DevWebURL.
	WebURL string
	// Password is the password of every user; empty means DevPassword.
	Password string
	// AccessTokenLifetime is how long access tokens are good for, at least a second; zero means the constant.
	AccessTokenLifetime time.Duration
}

// Provider is the OpenID provider: an [http.Handler] that needs no closing and is safe for concurrent use.
type Provider struct {
	http.Handler

	issuer   string
	password string
	lifetime time.Duration // of access tokens
	clients  map[string]client
	keys     *keyRing
	memory   *memory
	pages    *template.Template
}

// New is a provider with one new signing key, and nobody signed in.
func New(cfg Config) (*Provider, error) {
	cfg.WebSecret = cmp.Or(cfg.WebSecret, DevWebSecret)
	cfg.WebURL = cmp.Or(cfg.WebURL, DevWebURL)
	cfg.Password = cmp.Or(cfg.Password, DevPassword)
	cfg.AccessTokenLifetime = cmp.Or(cfg.AccessTokenLifetime, AccessTokenLifetime)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	keys, err := newKeyRing()
	if err != nil {
		return nil, err
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		issuer:   cfg.Issuer,
		password: cfg.Password,
		lifetime: cfg.AccessTokenLifetime,
		clients:  clientTable(cfg),
		keys:     keys,
		memory:   newMemory(),
		pages:    pages,
	}
	// Pages of other origins have no business at these endpoints, so no origin gets CORS headers.
	protocol := op.RegisterServer(server{provider: p}, endpoints(), op.WithServerCORSOptions(nil))
	p.Handler = standin.New(
		standin.Table{
			oidc.DiscoveryEndpoint: {http.MethodGet: protocol.ServeHTTP},
			keysPath:               {http.MethodGet: protocol.ServeHTTP},
			grantPath:              {http.MethodPost: tokenEndpoint(protocol)},
			authorizePath:          {http.MethodGet: p.authorize, http.MethodPost: p.authorize},
			loginPath:              {http.MethodGet: p.showLogin, http.MethodPost: p.signIn},
			stylePath:              {http.MethodGet: style},
			endSessionPath:         {http.MethodGet: p.endSession, http.MethodPost: p.endSession},
		},
		standin.Table{"/_rotate": {http.MethodPost: p.rotate}},
	)
	return p, nil
}

// check is done when the defaults are in place.
func (cfg Config) check() error {
	if err := op.ValidateIssuer(cfg.Issuer, true); err != nil {
		return fmt.Errorf("issuer %q: %w", cfg.Issuer, err)
	}
	switch {
	// Its routes are at the root, whatever op would allow.
	case !isOrigin(cfg.Issuer):
		return fmt.Errorf("issuer %q is not a scheme and a host, with nothing after it", cfg.Issuer)
	case !isOrigin(cfg.WebURL):
		return fmt.Errorf("the URL of bff-web, %q, is not a scheme and a host, with nothing after it", cfg.WebURL)
	case cfg.PartnerSecret == "":
		return errors.New("the secret of the client bff-partner is missing")
	case cfg.AccessTokenLifetime < time.Second:
		return fmt.Errorf("access tokens that are good for %v are good for nothing", cfg.AccessTokenLifetime)
	default:
		return nil
	}
}

func isOrigin(raw string) bool {
	parsed, err := url.Parse(raw)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() != "" &&
		parsed.Scheme+"://"+parsed.Host == raw
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
