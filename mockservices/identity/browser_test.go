package identity_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"go.uber.org/goleak"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	webCallback    = identity.DevWebURL + "/web/callback"
	webEnd         = identity.DevWebURL + "/web/"
	mobileCallback = "http://127.0.0.1:49152/callback"
	verifier       = "a-verifier-is-43-to-128-characters-that-say-nothing"
)

// browser talks to the provider without a network and keeps its cookies, as one would.
type browser struct {
	provider http.Handler
	jar      http.CookieJar
	base     string // where it finds the provider
}

func newBrowser(t *testing.T, provider http.Handler) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{provider, jar, standintest.Issuer}
}

// page is an answer to a browser.
type page struct {
	status   int
	header   http.Header
	body     string
	location *url.URL // nil without one
}

// get follows no redirect.
func (b *browser) get(t *testing.T, path string, query url.Values) page {
	t.Helper()
	return b.do(t, http.MethodGet, path+"?"+query.Encode(), nil)
}

func (b *browser) post(t *testing.T, path string, form url.Values) page {
	t.Helper()
	return b.do(t, http.MethodPost, path, form)
}

func (b *browser) do(t *testing.T, method, path string, form url.Values) page {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, cookie := range b.jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	recorder := httptest.NewRecorder()
	b.provider.ServeHTTP(recorder, r)
	response := recorder.Result()
	b.jar.SetCookies(r.URL, response.Cookies())
	answer := page{status: response.StatusCode, header: response.Header, body: recorder.Body.String()}
	if to, err := response.Location(); err == nil {
		answer.location = to
	}
	return answer
}

// asking is a good authorization request of a client, changed by pairs of a name and a value; an empty value takes
// the parameter away.
func asking(client string, changes ...string) url.Values {
	asked := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {mobileCallback},
		"scope": {"openid profile offline_access"}, "state": {"a state"}, "nonce": {"a nonce"},
		"code_challenge": {oidc.NewSHACodeChallenge(verifier)}, "code_challenge_method": {"S256"},
	}
	if client == "bff-web" {
		asked.Set("redirect_uri", webCallback)
	}
	for i := 0; i < len(changes); i += 2 {
		asked.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			asked.Del(changes[i])
		}
	}
	return asked
}

// loginPage is the way to the login page that a request is sent to.
func (b *browser) loginPage(t *testing.T, asked url.Values) string {
	t.Helper()
	got := b.get(t, "/authorize", asked)
	if got.status != http.StatusSeeOther || got.location.Path != "/login" || got.location.Query().Get("request") == "" {
		t.Fatalf("authorize: %d %v %s", got.status, got.header, got.body)
	}
	return got.location.RequestURI()
}

// signIn asks, signs in on the page that comes, and returns the query of the client's callback.
func (b *browser) signIn(t *testing.T, asked url.Values, user string) url.Values {
	t.Helper()
	login := b.loginPage(t, asked)
	if shown := b.do(t, http.MethodGet, login, nil); shown.status != http.StatusOK {
		t.Fatalf("login page: %d %s", shown.status, shown.body)
	}
	got := b.post(t, login, url.Values{"username": {user}, "password": {identity.DevPassword}})
	return answered(t, asked, got)
}

// answered is what an authorization response says to the client that asked.
func answered(t *testing.T, asked url.Values, got page) url.Values {
	t.Helper()
	if got.status != http.StatusSeeOther || got.location == nil {
		t.Fatalf("answer: %d %s", got.status, got.body)
	}
	answer := got.location.Query()
	got.location.RawQuery = ""
	if got.location.String() != asked.Get("redirect_uri") {
		t.Fatalf("the answer goes to %s", got.location)
	}
	if answer.Get("iss") != standintest.Issuer || answer.Get("state") != asked.Get("state") {
		t.Errorf("answer: %v", answer)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", got.header)
	}
	return answer
}

// tokens is an answer of the token endpoint, good or not.
//
//nolint:tagliatelle // RFC 6749 spells them so
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`

	status int
}

// ask sends a form to the token endpoint. bff-web authenticates with Basic, unless the form has a secret.
func ask(t *testing.T, provider http.Handler, client string, form url.Values) tokens {
	t.Helper()
	basic := client == "bff-web" && !form.Has("client_secret")
	if !basic {
		form.Set("client_id", client)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://identity:9000/oauth/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		r.SetBasicAuth(client, identity.DevWebSecret)
	}
	recorder := httptest.NewRecorder()
	provider.ServeHTTP(recorder, r)
	answer := tokens{status: recorder.Code}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%v in %d %s", err, recorder.Code, recorder.Body)
	}
	return answer
}

// exchanging is a good form for a code of a client, changed like asking's.
func exchanging(client, code string, changes ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier},
		"redirect_uri": {asking(client).Get("redirect_uri")},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form
}

func refreshing(token string, scopes ...string) url.Values {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	return form
}

// signedIn is the tokens of a client after ada signed in.
func signedIn(t *testing.T, b *browser, client string) tokens {
	t.Helper()
	answer := b.signIn(t, asking(client), "ada")
	got := ask(t, b.provider, client, exchanging(client, answer.Get("code")))
	if got.status != http.StatusOK || got.AccessToken == "" || got.RefreshToken == "" || got.IDToken == "" {
		t.Fatalf("tokens: %+v", got)
	}
	return got
}

// good reports whether a refresh token is, and uses it up.
func good(t *testing.T, provider http.Handler, client, token string) bool {
	t.Helper()
	got := ask(t, provider, client, refreshing(token))
	if got.status != http.StatusOK && (got.status != http.StatusBadRequest || got.Error != "invalid_grant") {
		t.Errorf("refresh: %+v", got)
	}
	return got.status == http.StatusOK
}

var inputs = regexp.MustCompile(`<input ([^>]*)>`)

// fields is the inputs of the form on a page, by name, with their values; kinds is their types.
func fields(body string) (values url.Values, kinds map[string]string) {
	values, kinds = url.Values{}, map[string]string{}
	for _, input := range inputs.FindAllStringSubmatch(body, -1) {
		name := attribute(input[1], "name")
		values.Set(name, html.UnescapeString(attribute(input[1], "value")))
		kinds[name] = attribute(input[1], "type")
	}
	return values, kinds
}

func attribute(tag, name string) string {
	_, after, _ := strings.Cut(" "+tag, " "+name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// isPage fails the test unless got is a page of the provider with a part of what it says.
func isPage(t *testing.T, got page, status int, says string) {
	t.Helper()
	if got.status != status || got.location != nil || !strings.Contains(got.body, says) {
		t.Errorf("answer: %d to %v: %s", got.status, got.location, got.body)
	}
	policy := got.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy: %s", policy)
		}
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("headers: %v", got.header)
	}
	if strings.Contains(got.body, "<script") || strings.Contains(got.body, "style=") {
		t.Errorf("the page has what the policy forbids: %s", got.body)
	}
}

// idToken is what an ID token of the provider says. It fails the test unless that is want, beside a sid and times of
// now.
func idToken(t *testing.T, provider *identity.Provider, raw string, want map[string]any) map[string]any {
	t.Helper()
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(keys(t, provider), &claims); err != nil {
		t.Fatal(err)
	}
	if typ := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; typ != "JWT" {
		t.Errorf("typ is %v", typ)
	}
	for name, ahead := range map[string]time.Duration{"iat": 0, "auth_time": 0, "exp": 5 * time.Minute} {
		seconds, ok := claims[name].(float64)
		if off := time.Until(time.Unix(int64(seconds), 0)) - ahead; !ok || off.Abs() > 30*time.Second {
			t.Errorf("%s is %v", name, claims[name])
		}
	}
	if sid, _ := claims["sid"].(string); len(sid) < 20 {
		t.Errorf("sid is %v", claims["sid"])
	}
	ignored := cmpopts.IgnoreMapEntries(func(name string, _ any) bool {
		return slices.Contains([]string{"iat", "auth_time", "exp", "sid"}, name)
	})
	if diff := cmp.Diff(want, claims, ignored); diff != "" {
		t.Error(diff)
	}
	return claims
}
