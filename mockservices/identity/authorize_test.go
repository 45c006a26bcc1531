package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/mockservices/internal/standintest"
)

// What is wrong before the client and its redirect URI are known to be good goes to nobody but the user.
func TestAuthorizeShowsAPage(t *testing.T) {
	t.Parallel()
	web := func(uri string) url.Values { return asking("bff-web", "redirect_uri", uri) }
	mobile := func(uri string) url.Values { return asking("mobile-app", "redirect_uri", uri) }
	twice := func(name string) url.Values {
		asked := asking("bff-web")
		asked.Add(name, asked.Get(name))
		return asked
	}
	tests := []struct {
		name  string
		asked url.Values
	}{
		{"nothing at all", nil},
		{"no client", asking("bff-web", "client_id", "")},
		{"an unknown client", asking("bff-web", "client_id", "bff-tv")},
		{"a client that signs nobody in", asking("bff-web", "client_id", "bff-partner")},
		{"two clients", twice("client_id")},
		{"no redirect URI", web("")},
		{"two redirect URIs", twice("redirect_uri")},
		{"a redirect URI of another client", web(mobileCallback)},
		{"the web's redirect URI for mobile", mobile(webCallback)},
		{"another host", web("http://example.com/web/callback")},
		{"a host with more after it", web("http://localhost.example.com:8080/web/callback")},
		{"a host with more before it", web("http://xlocalhost:8080/web/callback")},
		{"the host as a user", web("http://localhost:8080@example.com/web/callback")},
		{"a user before the host", web("http://ada@localhost:8080/web/callback")},
		{"another port", web("http://localhost:8081/web/callback")},
		{"no port", web("http://localhost/web/callback")},
		{"another scheme", web("https://localhost:8080/web/callback")},
		{"a script", web("javascript:alert(1)")},
		{"another path", web("http://localhost:8080/web/")},
		{"a path with more after it", web("http://localhost:8080/web/callback/x")},
		{"a path with a slash after it", web("http://localhost:8080/web/callback/")},
		{"a path that climbs", web("http://localhost:8080/web/callback/../callback")},
		{"a path in other letters", web("http://localhost:8080/web/Callback")},
		{"an encoded path", web("http://localhost:8080/web%2Fcallback")},
		{"a query", web("http://localhost:8080/web/callback?x=1")},
		{"a fragment", web("http://localhost:8080/web/callback#x")},
		{"a space after it", web("http://localhost:8080/web/callback ")},
		{"a backslash", web(`http://localhost:8080\web\callback`)},
		{"nothing but a path", web("/web/callback")},
		{"mobile: localhost, which may be elsewhere", mobile("http://localhost:49152/callback")},
		{"mobile: another address of loopback", mobile("http://127.0.0.2:49152/callback")},
		{"mobile: an address in another form", mobile("http://2130706433:49152/callback")},
		{"mobile: https", mobile("https://127.0.0.1:49152/callback")},
		{"mobile: a host with more after it", mobile("http://127.0.0.1.example.com:49152/callback")},
		{"mobile: the address as a user", mobile("http://127.0.0.1:49152@example.com/callback")},
		{"mobile: a user", mobile("http://ada@127.0.0.1:49152/callback")},
		{"mobile: no port", mobile("http://127.0.0.1/callback")},
		{"mobile: a port that is none", mobile("http://127.0.0.1:x/callback")},
		{"mobile: another path", mobile("http://127.0.0.1:49152/web/callback")},
		{"mobile: a path with more after it", mobile("http://127.0.0.1:49152/callback/")},
		{"mobile: a query", mobile("http://127.0.0.1:49152/callback?x=1")},
		{"mobile: a fragment", mobile("http://127.0.0.1:49152/callback#x")},
		{"mobile: something before it", mobile("https://example.com/http://127.0.0.1:49152/callback")},
		{"mobile: a second line", mobile("http://127.0.0.1:49152/callback\nx")},
		{"more than anybody needs", asking("bff-web", "state", strings.Repeat("s", 9000))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t, standintest.NewIdentity(t))
			isPage(t, b.get(t, "/authorize", test.asked), 400, "made a mistake")
			isPage(t, b.post(t, "/authorize", test.asked), 400, "made a mistake")
		})
	}
}

// What is wrong after that is told to the client.
func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	twice := asking("bff-web")
	twice.Add("nonce", "another")
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	tests := []struct {
		name  string
		asked url.Values
		code  string
	}{
		{"no response type", asking("bff-web", "response_type", ""), "invalid_request"},
		{"the implicit flow", asking("bff-web", "response_type", "token"), "unsupported_response_type"},
		{"an ID token at once", asking("bff-web", "response_type", "id_token"), "unsupported_response_type"},
		{"a hybrid", asking("bff-web", "response_type", "code id_token"), "unsupported_response_type"},
		{"an answer in the fragment", asking("bff-web", "response_mode", "fragment"), "invalid_request"},
		{"an answer in a form", asking("bff-web", "response_mode", "form_post"), "invalid_request"},
		{"web: no PKCE", asking("bff-web", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		{"mobile: no PKCE", asking("mobile-app", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		{"web: no challenge", asking("bff-web", "code_challenge", ""), "invalid_request"},
		{"mobile: no challenge", asking("mobile-app", "code_challenge", ""), "invalid_request"},
		{"no method, which means plain", asking("bff-web", "code_challenge_method", ""), "invalid_request"},
		{"the method plain", asking("bff-web", "code_challenge_method", "plain"), "invalid_request"},
		{"a method in other letters", asking("bff-web", "code_challenge_method", "s256"), "invalid_request"},
		{"a challenge that is too short", asking("bff-web", "code_challenge", challenge[1:]), "invalid_request"},
		{"a challenge that is too long", asking("bff-web", "code_challenge", challenge+"x"), "invalid_request"},
		{"a challenge in plain base64", asking("bff-web", "code_challenge", challenge[:42]+"+"), "invalid_request"},
		{"a scope of another client", asking("bff-web", "scope", "openid api"), "invalid_scope"},
		{"an unknown scope", asking("mobile-app", "scope", "openid everything"), "invalid_scope"},
		{"a request object", asking("bff-web", "request", "e30.e30."), "request_not_supported"},
		{"a request object elsewhere", asking("bff-web", "request_uri", "https://example.com"), "request_uri_not_supported"},
		{"a parameter twice", twice, "invalid_request"},
		{"the prompt none beside another", asking("bff-web", "prompt", "none login"), "invalid_request"},
		{"an age that is no number", asking("bff-web", "max_age", "-1"), "invalid_request"},
		{"a hint that is no token", asking("bff-web", "id_token_hint", "ada"), "invalid_request"},
		{"the prompt none with nobody there", asking("bff-web", "prompt", "none"), "login_required"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t, standintest.NewIdentity(t))
			got := b.get(t, "/authorize", test.asked)
			answer := answered(t, test.asked, got)
			if answer.Get("error") != test.code || answer.Has("code") || got.header.Get("Set-Cookie") != "" {
				t.Errorf("answer: %v %v", answer, got.header)
			}
			if strings.ContainsAny(answer.Get("error_description"), `"\`) {
				t.Errorf("description: %s", answer.Get("error_description"))
			}
		})
	}
}

func TestAuthorizeByForm(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	asked := asking("bff-web")
	// Another site's POST has no cookies of ours: the GET that it leads to has them.
	stranger := b.post(t, "/authorize", asked)
	if stranger.status != http.StatusSeeOther || stranger.location.Path != "/authorize" || stranger.location.RawQuery != asked.Encode() {
		t.Fatalf("answer: %d to %v", stranger.status, stranger.location)
	}
	b.signIn(t, asked, "ada")
	if answer := answered(t, asked, b.post(t, "/authorize", asked)); answer.Get("code") == "" {
		t.Errorf("answer: %v", answer)
	}
}

func TestOneLoginServesAllClients(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	b := newBrowser(t, provider)
	first := signedIn(t, b, "bff-web")
	var cookie string
	at, err := url.Parse(standintest.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range b.jar.Cookies(at) {
		if kept.Name == "identity_session" {
			cookie = kept.Value
		}
	}
	if len(cookie) != 43 { // 256 bits in base64url
		t.Errorf("cookie: %q", cookie)
	}
	for _, prompt := range []string{"", "none"} {
		asked := asking("mobile-app", "prompt", prompt)
		answer := answered(t, asked, b.get(t, "/authorize", asked))
		second := ask(t, provider, "mobile-app", exchanging("mobile-app", answer.Get("code")))
		one := idToken(t, provider, first.IDToken, map[string]any{
			"iss": standintest.Issuer, "sub": "ada", "aud": "bff-web", "nonce": "a nonce", "name": "Ada Lovelace",
		})
		two := idToken(t, provider, second.IDToken, map[string]any{
			"iss": standintest.Issuer, "sub": "ada", "aud": "mobile-app", "nonce": "a nonce", "name": "Ada Lovelace",
		})
		if one["sid"] != two["sid"] || one["sid"] == cookie {
			t.Errorf("sid %v, then %v, by the cookie %s", one["sid"], two["sid"], cookie)
		}
	}
	other := newBrowser(t, provider)
	other.loginPage(t, asking("mobile-app")) // signs in by itself
}

func TestLoginCookieIsForNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	login := b.loginPage(t, asking("bff-web"))
	got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"demo"}})
	cookies := got.header.Values("Set-Cookie")
	if len(cookies) != 2 || !strings.HasPrefix(cookies[0], "identity_session=") || !strings.HasSuffix(cookies[0], "; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax") {
		t.Errorf("cookies: %v", cookies)
	}
}

func TestAuthorizeAsksAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes []string
		after   time.Duration
		want    string // "code", "login", or the error
	}{
		{"nothing is asked for", nil, 11 * time.Hour, "code"},
		{"after twelve hours", nil, 12 * time.Hour, "login"},
		{"after twelve hours, silently", []string{"prompt", "none"}, 12 * time.Hour, "login_required"},
		{"the prompt login", []string{"prompt", "login"}, 0, "login"},
		{"the prompt select_account", []string{"prompt", "select_account"}, 0, "login"},
		{"the prompt consent, which nobody is asked for", []string{"prompt", "consent"}, 0, "code"},
		{"young enough", []string{"max_age", "60"}, 59 * time.Second, "code"},
		{"too old", []string{"max_age", "60"}, 60 * time.Second, "login"},
		{"too old, silently", []string{"max_age", "60", "prompt", "none"}, 60 * time.Second, "login_required"},
		{"no age at all", []string{"max_age", "0"}, 0, "login"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBrowser(t, standintest.NewIdentity(t))
				b.jar = immortal{b.jar}
				b.signIn(t, asking("bff-web"), "ada")
				time.Sleep(test.after)
				asked := asking("bff-web", test.changes...)
				if test.want == "login" {
					b.signIn(t, asked, "ada")
					return
				}
				answer := answered(t, asked, b.get(t, "/authorize", asked))
				if answer.Get("error") != test.want && !answer.Has(test.want) {
					t.Errorf("answer: %v", answer)
				}
			})
		})
	}
}

func TestAuthorizeForTheUserOfAHint(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	hint := signedIn(t, newBrowser(t, provider), "bff-web").IDToken
	b := newBrowser(t, provider)
	b.signIn(t, asking("bff-web"), "grace")

	silently := asking("bff-web", "id_token_hint", hint, "prompt", "none")
	if answer := answered(t, silently, b.get(t, "/authorize", silently)); answer.Get("error") != "login_required" {
		t.Errorf("grace is taken for ada: %v", answer)
	}
	login := b.loginPage(t, asking("bff-web", "id_token_hint", hint))
	isPage(t, b.post(t, login, url.Values{"username": {"grace"}, "password": {"demo"}}), 401, "who was signed in before")
	if got := b.post(t, login, url.Values{"username": {"ada"}, "password": {"demo"}}); got.status != http.StatusSeeOther {
		t.Errorf("answer: %d %s", got.status, got.body)
	}
	if answer := answered(t, silently, b.get(t, "/authorize", silently)); !answer.Has("code") {
		t.Errorf("answer: %v", answer)
	}
}

func TestSigningInAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		user string
		same bool
	}{
		{"the same user stays in the same session", "ada", true},
		{"another user begins another one", "grace", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				provider := standintest.NewIdentity(t)
				b := newBrowser(t, provider)
				before := claimsOf(t, signedIn(t, b, "bff-web").IDToken)
				stolen := newBrowser(t, provider)
				at, err := url.Parse(standintest.Issuer)
				if err != nil {
					t.Fatal(err)
				}
				stolen.jar.SetCookies(at, b.jar.Cookies(at))
				time.Sleep(time.Hour)
				answer := b.signIn(t, asking("bff-web", "prompt", "login"), test.user)
				got := ask(t, provider, "bff-web", exchanging("bff-web", answer.Get("code")))
				after := claimsOf(t, got.IDToken)
				if (before["sid"] == after["sid"]) != test.same || after["sub"] != test.user {
					t.Errorf("before %v, after %v", before, after)
				}
				first, _ := before["auth_time"].(float64)
				if after["auth_time"] != first+3600 {
					t.Errorf("signed in at %v, then at %v", before["auth_time"], after["auth_time"])
				}
				if test.same {
					stolen.loginPage(t, asking("bff-web")) // the old cookie is worth nothing
				}
			})
		})
	}
}
