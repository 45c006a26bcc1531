package identity

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// maxAsked is the bytes of a browser's parameters: much of it is remembered for a while.
const maxAsked = 8 << 10

// target is where the answer to an authorization request goes. There is none until the client and its redirect URI
// are known to be good: what is wrong before that is told to the user, on a page of ours.
type target struct {
	client      client
	redirectURI string
	state       string
}

// authRequest is an authorization request that asks for nothing it could not have.
type authRequest struct {
	target

	scopes    []string
	nonce     string
	challenge string // of PKCE, by S256

	silent    bool          // no page may be shown
	anew      bool          // the password is asked for whoever is signed in
	maxAge    time.Duration // since the password was typed; negative for no limit
	user      string        // the only one who will do; empty for anybody
	loginHint string        // who it will probably be
}

// refusal is an error of an authorization response (RFC 6749, 4.1.2.1).
type refusal struct {
	code        string
	description string // without quotes and backslashes, which are not allowed there
}

// Error is the refusal in one line.
func (r refusal) Error() string { return r.code + ": " + r.description }

// authorize is the authorization endpoint.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	asked, err := parameters(w, r)
	if err != nil {
		p.refuse(w, err)
		return
	}
	to, err := p.target(asked)
	if err != nil {
		p.refuse(w, err)
		return
	}
	request, err := p.authRequest(to, asked)
	if err != nil {
		p.respondError(w, to, err)
		return
	}
	visit, signedIn := p.visitor(r)
	switch {
	case signedIn && request.satisfiedBy(visit):
		p.respondCode(w, request, visit)
	case !signedIn && r.Method == http.MethodPost:
		// Another site's POST comes without our cookies. Asked again by GET, it comes with them.
		redirect(w, authorizePath+"?"+asked.Encode())
	case request.silent:
		p.respondError(w, to, refusal{string(oidc.LoginRequired), "the user has to sign in"})
	default:
		p.askToSignIn(w, request)
	}
}

// parameters is what a browser asks: the query, or the form when there is one.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxAsked {
		return nil, errors.New("the query is too long")
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxAsked)
		err := r.ParseForm()
		return r.PostForm, err
	}
	return url.ParseQuery(r.URL.RawQuery)
}

func (p *Provider) target(asked url.Values) (target, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(asked[name]) != 1 {
			return target{}, errors.New("there has to be one " + name)
		}
	}
	client, known := p.clients[asked.Get("client_id")]
	switch {
	case !known:
		return target{}, errors.New("the client_id is unknown")
	case !client.redirectsTo(asked.Get("redirect_uri")):
		return target{}, errors.New("the redirect_uri is not one of the client")
	default:
		return target{client: client, redirectURI: asked.Get("redirect_uri"), state: asked.Get("state")}, nil
	}
}

func (p *Provider) authRequest(to target, asked url.Values) (authRequest, error) {
	if err := checkAsked(asked); err != nil {
		return authRequest{}, err
	}
	request := authRequest{
		target:    to,
		scopes:    strings.Fields(asked.Get("scope")),
		nonce:     asked.Get("nonce"),
		challenge: asked.Get("code_challenge"),
		maxAge:    -1,
		loginHint: asked.Get("login_hint"),
	}
	if len(request.scopes) == 0 {
		request.scopes = to.client.scopes
	}
	for _, scope := range request.scopes {
		if !to.client.IsScopeAllowed(scope) {
			return authRequest{}, refusal{string(oidc.InvalidScope), "one of the scopes is not for this client"}
		}
	}
	if err := request.whoAndWhen(asked); err != nil {
		return authRequest{}, err
	}
	if hint := asked.Get("id_token_hint"); hint != "" {
		claims, err := p.hint(hint)
		if err != nil {
			return authRequest{}, refusal{string(oidc.InvalidRequest), "the id_token_hint is not an ID token of ours"}
		}
		request.user = claims.Subject
	}
	return request, nil
}

// challengeS256 is a SHA-256 in base64url.
var challengeS256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// checkAsked judges what is the same for all clients.
func checkAsked(asked url.Values) error {
	for _, values := range asked {
		if len(values) > 1 {
			return refusal{string(oidc.InvalidRequest), "a parameter is there twice"}
		}
	}
	switch {
	case asked.Has("request"):
		return refusal{string(oidc.RequestNotSupported), "request objects are not supported"}
	case asked.Has("request_uri"):
		return refusal{"request_uri_not_supported", "request objects are not supported"}
	case asked.Get("response_type") == "":
		return refusal{string(oidc.InvalidRequest), "the response_type is missing"}
	case asked.Get("response_type") != string(oidc.ResponseTypeCode):
		return refusal{"unsupported_response_type", "the only response_type is code"}
	case asked.Get("response_mode") != "" && asked.Get("response_mode") != string(oidc.ResponseModeQuery):
		return refusal{string(oidc.InvalidRequest), "the only response_mode is query"}
	case asked.Get("code_challenge_method") != string(oidc.CodeChallengeMethodS256):
		return refusal{string(oidc.InvalidRequest), "the code_challenge_method has to be S256"}
	case !challengeS256.MatchString(asked.Get("code_challenge")):
		return refusal{string(oidc.InvalidRequest), "the code_challenge has to be a SHA-256 in base64url"}
	default:
		return nil
	}
}

// whoAndWhen reads when a user counts as signed in.
func (a *authRequest) whoAndWhen(asked url.Values) error {
	prompts := strings.Fields(asked.Get("prompt"))
	a.silent = slices.Contains(prompts, oidc.PromptNone)
	a.anew = slices.Contains(prompts, oidc.PromptLogin) || slices.Contains(prompts, oidc.PromptSelectAccount)
	if a.silent && len(prompts) > 1 {
		return refusal{string(oidc.InvalidRequest), "the prompt none goes with no other"}
	}
	if age := asked.Get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return refusal{string(oidc.InvalidRequest), "max_age has to be a number of seconds"}
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	return nil
}

// satisfiedBy reports whether no password is needed of who is signed in.
func (a *authRequest) satisfiedBy(by visit) bool {
	recent := a.maxAge < 0 || time.Since(by.authTime) < a.maxAge
	return !a.anew && recent && (a.user == "" || a.user == by.user)
}

// respondCode sends the browser back to the client with a code for what was asked for.
func (p *Provider) respondCode(w http.ResponseWriter, request authRequest, by visit) {
	value := p.memory.newCode(code{
		grant: grant{
			session:  by.session,
			client:   request.client.id,
			scopes:   request.scopes,
			authTime: by.authTime,
			nonce:    request.nonce,
		},
		redirectURI: request.redirectURI,
		challenge:   request.challenge,
	})
	p.respond(w, request.target, url.Values{"code": {value}})
}

// respondError sends the browser back to the client without a code.
func (p *Provider) respondError(w http.ResponseWriter, to target, err error) {
	answer := url.Values{"error": {string(oidc.ServerError)}}
	if refused, ok := errors.AsType[refusal](err); ok {
		answer = url.Values{"error": {refused.code}, "error_description": {refused.description}}
	}
	p.respond(w, to, answer)
}

// respond is an authorization response; every one names the issuer (RFC 9207).
func (p *Provider) respond(w http.ResponseWriter, to target, answer url.Values) {
	answer.Set("iss", p.issuer)
	if to.state != "" {
		answer.Set("state", to.state)
	}
	// No redirect URI of the table has a query.
	redirect(w, to.redirectURI+"?"+answer.Encode())
}

// redirect sends the browser on, with a GET whatever it came with.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
