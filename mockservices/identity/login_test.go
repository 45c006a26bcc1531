package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, client := range []struct{ id, audience string }{{"mobile-app", "bff-mobile"}, {"bff-web", "bff-web"}} {
		t.Run(client.id, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			b := newBrowser(t, provider)
			got := signedIn(t, b, client.id)
			if got.TokenType != "Bearer" || got.ExpiresIn != 300 || got.Scope != "openid profile offline_access" {
				t.Errorf("answer: %+v", got)
			}
			expect(t, provider, got.AccessToken, identity.Claims{
				Issuer: standintest.Issuer, Subject: "ada", Audience: client.audience, ClientID: client.id, Scope: "openid profile offline_access",
			})
			first := idToken(t, provider, got.IDToken, map[string]any{
				"iss": standintest.Issuer, "sub": "ada", "aud": client.id, "nonce": "a nonce", "name": "Ada Lovelace",
			})

			next := ask(t, provider, client.id, refreshing(got.RefreshToken))
			if next.status != 200 || next.RefreshToken == "" || next.RefreshToken == got.RefreshToken || next.Scope != got.Scope {
				t.Errorf("refreshed: %+v", next)
			}
			expect(t, provider, next.AccessToken, identity.Claims{
				Issuer: standintest.Issuer, Subject: "ada", Audience: client.audience, ClientID: client.id, Scope: "openid profile offline_access",
			})
			second := idToken(t, provider, next.IDToken, map[string]any{
				"iss": standintest.Issuer, "sub": "ada", "aud": client.id, "name": "Ada Lovelace",
			})
			if first["sid"] != second["sid"] || first["auth_time"] != second["auth_time"] {
				t.Errorf("first %v, then %v", first, second)
			}
		})
	}
}

func TestLoginAsked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		user    string
		asked   url.Values
		scope   string
		idToken map[string]any // what it says, beside times and sid; nil for none
		refresh bool
	}{
		{
			"for openid alone: no name, no refresh token", "grace", asking("mobile-app", "scope", "openid"), "openid",
			map[string]any{"sub": "grace", "nonce": "a nonce"},
			false,
		},
		{
			"for nothing: what the client usually gets", "grace", asking("mobile-app", "scope", ""), "openid profile",
			map[string]any{"sub": "grace", "nonce": "a nonce", "name": "Grace Hopper"},
			false,
		},
		{"without openid: no ID token", "grace", asking("mobile-app", "scope", "profile"), "profile", nil, false},
		{
			"without a nonce and a state: none come back", "user-7", asking("mobile-app", "nonce", "", "state", ""),
			"openid profile offline_access",
			map[string]any{"sub": "user-7", "name": "user-7"},
			true,
		},
		{
			"for IPv6's loopback", "~", asking("mobile-app", "redirect_uri", "http://[::1]:1/callback"),
			"openid profile offline_access",
			map[string]any{"sub": "~", "nonce": "a nonce", "name": "~"},
			true,
		},
		{
			"for a user of 64 characters", strings.Repeat("a", 64), asking("mobile-app", "scope", "openid"), "openid",
			map[string]any{"sub": strings.Repeat("a", 64), "nonce": "a nonce"},
			false,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			answer := newBrowser(t, provider).signIn(t, test.asked, test.user)
			got := ask(t, provider, "mobile-app", exchanging("mobile-app", answer.Get("code"), "redirect_uri", test.asked.Get("redirect_uri")))
			if got.status != 200 || got.Scope != test.scope || (got.RefreshToken != "") != test.refresh || (got.IDToken != "") != (test.idToken != nil) {
				t.Fatalf("tokens: %+v", got)
			}
			if test.idToken != nil {
				test.idToken["iss"], test.idToken["aud"] = standintest.Issuer, "mobile-app"
				idToken(t, provider, got.IDToken, test.idToken)
			}
		})
	}
}

func TestLoginIsIndependentOfWhereTheProviderIsReached(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	b := newBrowser(t, provider)
	b.base = "http://identity:9000"
	signedIn(t, b, "bff-web")
}

func TestLoginPage(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	got := b.do(t, http.MethodGet, b.loginPage(t, asking("bff-web", "login_hint", `"><script>`)), nil)
	isPage(t, got, 200, "<strong>bff-web</strong>")
	values, kinds := fields(got.body)
	if diff := cmp.Diff(map[string]string{"username": "text", "password": "password"}, kinds); diff != "" {
		t.Error(diff)
	}
	if values.Get("username") != `"><script>` || strings.Contains(got.body, "role=") {
		t.Errorf("page: %s", got.body)
	}
	for _, part := range []string{
		`<label for="username">`, `<label for="password">`, `autocomplete="username"`, `autocomplete="current-password"`, ` autofocus>`,
	} {
		if strings.Count(got.body, part) != 1 {
			t.Errorf("%s is not there once: %s", part, got.body)
		}
	}
	if style := b.get(t, "/login.css", nil); style.status != 200 || !strings.Contains(style.body, "prefers-color-scheme: dark") ||
		!strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %v", style.status, style.header)
	}
}

// Chromium holds form-action against the redirect that follows the form.
func TestLoginPageLeadsToTheClient(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"http://127.0.0.1:49152/callback": " http://127.0.0.1:49152",
		"http://[::1]:49152/callback":     " http:", // policies know no IPv6
	} {
		b := newBrowser(t, standintest.NewIdentity(t))
		got := b.do(t, http.MethodGet, b.loginPage(t, asking("mobile-app", "redirect_uri", uri)), nil)
		_, actions, _ := strings.Cut(got.header.Get("Content-Security-Policy"), "form-action 'self'")
		if actions != want {
			t.Errorf("%s: the form may lead to%s", uri, actions)
		}
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		username, password string
		says               string
	}{
		{"a wrong password", "ada", "DEMO", "wrong"},
		{"no password", "ada", "", "wrong"},
		{"a longer password", "ada", "demo ", "wrong"},
		{"no user", "", "demo", "1 to 64"},
		{"a user of 65 characters", strings.Repeat("a", 65), "demo", "1 to 64"},
		{"a user with a space inside", "ada lovelace", "demo", "1 to 64"},
		{"a user that is not ASCII", "adé", "demo", "1 to 64"},
		{"a user that is markup, with a wrong password", `"><script>alert(1)</script>`, "x", "wrong"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t, standintest.NewIdentity(t))
			login := b.loginPage(t, asking("bff-web"))
			got := b.post(t, login, url.Values{"username": {test.username}, "password": {test.password}})
			isPage(t, got, 401, test.says)
			if values, _ := fields(got.body); values.Get("username") != test.username || values.Get("password") != "" {
				t.Errorf("the form has %v", values)
			}
			if strings.Count(got.body, `role="alert"`) != 1 || got.header.Get("Set-Cookie") != "" || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("answer: %v %s", got.header, got.body)
			}
			again := b.post(t, login, url.Values{"username": {" ada "}, "password": {"demo"}})
			if answered(t, asking("bff-web"), again).Get("code") == "" {
				t.Error("there is no second try")
			}
		})
	}
}

func TestLoginOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	attacker, victim := newBrowser(t, provider), newBrowser(t, provider)
	login := attacker.loginPage(t, asking("bff-web"))
	victims := victim.loginPage(t, asking("bff-web"))
	right := url.Values{"username": {"ada"}, "password": {"demo"}}
	for name, got := range map[string]page{
		"shown to another browser":   victim.do(t, http.MethodGet, login, nil),
		"posted by another browser":  victim.post(t, login, right),
		"shown for no request":       victim.do(t, http.MethodGet, "/login", nil),
		"posted for no request":      victim.post(t, "/login", right),
		"posted for an unknown one":  victim.post(t, "/login?request=nobodys", right),
		"posted with another cookie": forged(t, victim, login, victims, right),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			isPage(t, got, 400, "This sign-in is over")
			if len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("headers: %v", got.header)
			}
		})
	}
}

// forged is what becomes of a login with the cookie of another login under its own cookie's name.
func forged(t *testing.T, b *browser, login, of string, form url.Values) page {
	t.Helper()
	at, err := url.Parse(b.base + of)
	if err != nil {
		t.Fatal(err)
	}
	cookies := b.jar.Cookies(at)
	_, id, _ := strings.Cut(login, "request=")
	b.jar.SetCookies(at, []*http.Cookie{{Name: "identity_login_" + id[:8], Value: cookies[0].Value, Path: "/login"}})
	return b.post(t, login, form)
}

func TestLoginTakesTenMinutes(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]int{10*time.Minute - time.Second: 303, 10 * time.Minute: 400} {
		synctest.Test(t, func(t *testing.T) {
			b := newBrowser(t, standintest.NewIdentity(t))
			b.jar = immortal{b.jar}
			login := b.loginPage(t, asking("mobile-app"))
			time.Sleep(after)
			if got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"demo"}}); got.status != want {
				t.Errorf("after %v: %d %s", after, got.status, got.body)
			}
		})
	}
}

// immortal keeps cookies for longer than they were meant for.
type immortal struct{ http.CookieJar }

func (j immortal) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, cookie := range cookies {
		if cookie.MaxAge > 0 {
			cookie.MaxAge = 0
		}
	}
	j.CookieJar.SetCookies(u, cookies)
}

func TestLoginsInManyTabs(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	asked, pages := make([]url.Values, 20), make([]string, 20)
	for i := range asked {
		asked[i] = asking("bff-web", "state", strings.Repeat("s", i+1))
		pages[i] = b.loginPage(t, asked[i])
	}
	for i, login := range pages {
		got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"demo"}})
		if answered(t, asked[i], got).Get("code") == "" {
			t.Errorf("tab %d: %v", i, got.location)
		}
	}
}

func TestManyBrowsersAtOnce(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	var all sync.WaitGroup
	for range 20 {
		b := newBrowser(t, provider)
		all.Go(func() {
			asked := asking("bff-web")
			answer := b.get(t, "/authorize", asked)
			answer = b.post(t, answer.location.RequestURI(), url.Values{"username": {"ada"}, "password": {"demo"}})
			got := ask(t, provider, "bff-web", exchanging("bff-web", answer.location.Query().Get("code")))
			b.get(t, "/end_session", url.Values{"id_token_hint": {got.IDToken}})
			if got.RefreshToken == "" || good(t, provider, "bff-web", got.RefreshToken) {
				t.Errorf("tokens: %+v", got)
			}
		})
	}
	all.Wait()
}

func TestPasswordsAndSecretsOfOnesOwn(t *testing.T) {
	t.Parallel()
	provider, err := identity.New(identity.Config{
		Issuer: "https://id.example.com", PartnerSecret: "p", WebSecret: "w", WebURL: "https://example.com", Password: "hunter2",
		AccessTokenLifetime: 90 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, provider)
	b.base = "https://id.example.com"
	asked := asking("bff-web", "redirect_uri", "https://example.com/web/callback")
	login := b.loginPage(t, asked)
	if got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"demo"}}); got.status != 401 {
		t.Errorf("the usual password: %d", got.status)
	}
	got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"hunter2"}})
	for _, cookie := range got.header.Values("Set-Cookie") {
		if !strings.Contains(cookie, "; Secure") {
			t.Errorf("cookie: %s", cookie)
		}
	}
	if got.location == nil || got.location.Query().Get("iss") != "https://id.example.com" {
		t.Fatalf("answer: %d to %v", got.status, got.location)
	}
	form := exchanging("bff-web", got.location.Query().Get("code"), "redirect_uri", asked.Get("redirect_uri"))
	if usual := ask(t, provider, "bff-web", form); usual.status != 401 || usual.Error != "invalid_client" {
		t.Errorf("the usual secret: %+v", usual)
	}
	form.Set("client_secret", "w")
	if own := ask(t, provider, "bff-web", form); own.status != 200 || own.ExpiresIn != 90 {
		t.Errorf("its own secret: %+v", own)
	}
}
