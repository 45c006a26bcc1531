package session_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestWhereALoginMayLead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	for _, tt := range []struct{ name, returnTo, lands string }{
		{"a path", "/there", "/there"},
		{"the root", "/", "/"},
		{"with a query", "/there?q=a%2Fb&x=1", "/there?q=a%2Fb&x=1"},
		{"with a fragment", "/there#orders", "/there#orders"},
		{"with an escaped letter", "/caf%C3%A9", "/caf%C3%A9"},
		{"an address in the query", "/there?next=//evil.test", "/there?next=//evil.test"},
		{"another host", "https://evil.test/", ""},
		{"another host without a scheme", "//evil.test/", ""},
		{"three slashes", "///evil.test/", ""},
		{"a backslash", `/\evil.test/`, ""},
		{"two backslashes", `\\evil.test/`, ""},
		{"a backslash further on", `/a\..\\evil.test`, ""},
		{"an encoded backslash", "/%5Cevil.test", ""},
		{"encoded slashes", "/%2F%2Fevil.test", ""},
		{"slashes encoded twice", "/%252F%252Fevil.test", ""},
		{"a tab", "/\t/evil.test", ""},
		{"an encoded tab", "/%09/evil.test", ""},
		{"a line end", "/\r\nLocation: https://evil.test", ""},
		{"an encoded line end", "/%0d%0aSet-Cookie:a=b", ""},
		{"a NUL", "/%00", ""},
		{"a space in front", " https://evil.test", ""},
		{"a space in front of slashes", " //evil.test", ""},
		{"somebody at a host", "/@evil.test", ""},
		{"somebody at a host, encoded", "/%40evil.test", ""},
		{"a password at a host", "//a:b@evil.test/", ""},
		{"dots that leave", "/a/..//evil.test", ""},
		{"dots", "/a/../b", ""},
		{"encoded dots", "/%2e%2e/b", ""},
		{"a scheme with no host", "javascript:alert(1)", ""},
		{"a scheme behind a slash", "/javascript:alert(1)", "/javascript:alert%281%29"},
		{"data", "data:text/html,x", ""},
		{"the same host", external + "/there", ""},
		{"nothing", "", ""},
		{"a path that is none", "there", ""},
		{"a broken escape", "/%zz", ""},
		{"letters outside ASCII", "/é", ""},
		{"slashes that look like some", "/\u2044\u2044evil.test", ""},
		{"too long", "/" + strings.Repeat("a", 1024), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := w.browser()
			login := b.get(t, "/login?"+url.Values{"returnTo": {tt.returnTo}}.Encode())
			if tt.lands == "" {
				if login.Code != http.StatusBadRequest || codeOf(t, login) != "invalid_return_to" || login.Header().Get("Location") != "" || len(b.cookies) > 0 {
					t.Errorf("%d %v %s", login.Code, login.Header(), login.Body)
				}
				return
			}
			callback := b.get(t, w.provider.Authorize(t, login.Header().Get("Location"), "ada"))
			if got := callback.Header().Get("Location"); got != tt.lands {
				t.Errorf("landed at %q (%d), want %q", got, callback.Code, tt.lands)
			}
		})
	}
	if login := w.browser().get(t, "/login?returnTo=/a&returnTo=/b"); login.Code != http.StatusBadRequest {
		t.Errorf("two of them: %d", login.Code)
	}
	b := w.browser()
	callback := b.get(t, w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada"))
	if got := callback.Header().Get("Location"); got != "/" {
		t.Errorf("without one: landed at %q", got)
	}
}

func TestAnswersThatBelongToNoLogin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, w *world, b *browser, callback *url.URL)
		code   string
		status int
	}{
		{"no state", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { drop(u, "state") }, "invalid_state", 400},
		{"a made-up state", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { put(u, "state", "abc") }, "invalid_state", 400},
		{"a giant state", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { put(u, "state", strings.Repeat("A", 9<<10)) }, "invalid_state", 400},
		{"a changed state", func(_ *testing.T, _ *world, _ *browser, u *url.URL) {
			state := u.Query().Get("state")
			put(u, "state", state[:20]+string(state[20]^1)+state[21:])
		}, "invalid_state", 400},
		{"two states", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { u.RawQuery += "&state=abc" }, "invalid_state", 400},
		{"two codes", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { u.RawQuery += "&code=abc" }, "invalid_state", 400},
		{"a browser without the login's cookie", func(_ *testing.T, _ *world, b *browser, _ *url.URL) { clear(b.cookies) }, "invalid_state", 400},
		{"a browser that began another login", func(t *testing.T, _ *world, b *browser, _ *url.URL) {
			t.Helper()
			clear(b.cookies)
			b.get(t, "/login")
		}, "invalid_state", 400},
		{"the wrong provider", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { put(u, "iss", issuer+"/") }, "login_failed", 400},
		{"a provider that does not say its name", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { drop(u, "iss") }, "login_failed", 400},
		{"a wrong code", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { put(u, "code", "abc") }, "login_failed", 400},
		{"no code", func(_ *testing.T, _ *world, _ *browser, u *url.URL) { drop(u, "code") }, "login_refused", 400},
		{"the code of another login", func(t *testing.T, w *world, _ *browser, u *url.URL) {
			t.Helper()
			other := w.browser()
			stolen, err := url.Parse(w.provider.Authorize(t, other.get(t, "/login").Header().Get("Location"), "grace"))
			if err != nil {
				t.Fatal(err)
			}
			put(u, "code", stolen.Query().Get("code"))
		}, "login_failed", 400},
		{"a person who says no", func(_ *testing.T, _ *world, _ *browser, u *url.URL) {
			drop(u, "code")
			put(u, "error", "access_denied")
		}, "login_refused", 400},
		{"a provider in trouble", func(_ *testing.T, _ *world, _ *browser, u *url.URL) {
			drop(u, "code")
			put(u, "error", "temporarily_unavailable")
		}, "identity_unavailable", 503},
		{"another nonce", id(func(c jwt.MapClaims) { c["nonce"] = "x" }), "login_failed", 400},
		{"no nonce", id(func(c jwt.MapClaims) { delete(c, "nonce") }), "login_failed", 400},
		{"an ID token of another issuer", id(func(c jwt.MapClaims) { c["iss"] = "https://evil.test" }), "login_failed", 400},
		{"an ID token for another client", id(func(c jwt.MapClaims) { c["aud"] = "other" }), "login_failed", 400},
		{"an ID token for us beside the one it is for", id(func(c jwt.MapClaims) { c["aud"] = []string{"app", "other"}; c["azp"] = "other" }), "login_failed", 400},
		{"an ID token that has ended", id(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), "login_failed", 400},
		{"an ID token of nobody", id(func(c jwt.MapClaims) { delete(c, "sub") }), "login_failed", 400},
		{"an ID token of another access token", id(func(c jwt.MapClaims) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }), "login_failed", 400},
		{"an ID token of somebody else's key", func(t *testing.T, w *world, _ *browser, _ *url.URL) {
			t.Helper()
			w.provider.Behave(sessiontest.Behaviour{Key: sessiontest.NewKey(t)})
		}, "login_failed", 400},
		{"no ID token", token(upstreamtest.Answer{Body: `{"access_token":"a","token_type":"Bearer"}`}), "login_failed", 400},
		{"an unsigned ID token", token(upstreamtest.Answer{
			Body: `{"access_token":"a","token_type":"Bearer","id_token":"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLnRlc3QifQ."}`,
		}), "login_failed", 400},
		{"no provider", token(upstreamtest.Answer{Err: errors.New("refused")}), "identity_unavailable", 503},
		{"a broken provider", token(upstreamtest.Answer{Status: 500}), "identity_unavailable", 503},
		{"a provider that answers nonsense", token(upstreamtest.Answer{Body: `<html>`, ContentType: "text/html"}), "identity_unavailable", 503},
		{"a provider that sends elsewhere", token(upstreamtest.Answer{Status: 302, Header: http.Header{"Location": {"https://evil.test/token"}}}), "identity_unavailable", 503},
		{"a provider that does not know us", token(upstreamtest.Answer{Status: 401, Body: `{"error":"invalid_client"}`}), "identity_unavailable", 503},
		{"no keys", func(_ *testing.T, w *world, _ *browser, _ *url.URL) {
			w.provider.Answer("/keys", upstreamtest.Answer{Err: errors.New("refused")})
		}, "identity_unavailable", 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
			b := w.browser()
			callback, err := url.Parse(w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada"))
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, w, b, callback)
			rec := b.get(t, callback.String())
			if rec.Code != tt.status || codeOf(t, rec) != tt.code || (tt.status == 503) != (rec.Header().Get("Retry-After") != "") {
				t.Errorf("%d %v %s, want %d %s", rec.Code, rec.Header(), rec.Body, tt.status, tt.code)
			}
			if strings.Contains(rec.Body.String(), "evil") || rec.Header().Get("Set-Cookie") != "" {
				t.Errorf("it says %v %s", rec.Header(), rec.Body)
			}
			person := b.get(t, callback.String(), "Accept", "text/html,application/xhtml+xml")
			if where := person.Header().Get("Location"); person.Code != http.StatusSeeOther || !strings.HasPrefix(where, "/?problem=") {
				t.Errorf("a person gets %d %q", person.Code, where)
			}
		})
	}
}

func drop(u *url.URL, name string) {
	query := u.Query()
	query.Del(name)
	u.RawQuery = query.Encode()
}

func put(u *url.URL, name, value string) {
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
}

func id(change func(jwt.MapClaims)) func(*testing.T, *world, *browser, *url.URL) {
	return func(_ *testing.T, w *world, _ *browser, _ *url.URL) {
		w.provider.Behave(sessiontest.Behaviour{ChangeID: change})
	}
}

func token(answer upstreamtest.Answer) func(*testing.T, *world, *browser, *url.URL) {
	return func(_ *testing.T, w *world, _ *browser, _ *url.URL) {
		w.provider.Behave(sessiontest.Behaviour{Answer: &answer})
	}
}

func TestAnErrorUsesNothingUp(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
	refused, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	drop(refused, "code")
	put(refused, "error", "access_denied")
	if rec := b.get(t, refused.String()); rec.Code != http.StatusBadRequest || len(server.Keys()) != 0 {
		t.Errorf("%d %s; Redis holds %v", rec.Code, rec.Body, server.Keys())
	}
	if rec := b.get(t, callback); rec.Code != http.StatusSeeOther {
		t.Errorf("the good answer: %d %s", rec.Code, rec.Body)
	}
}

func TestAnAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
	var answers [8]*httptest.ResponseRecorder
	var all sync.WaitGroup
	for i := range answers {
		copied := &browser{app: w, cookies: maps.Clone(b.cookies)}
		all.Go(func() { answers[i] = copied.get(t, callback) })
	}
	all.Wait()
	begun := 0
	for _, rec := range answers {
		if rec.Code == http.StatusSeeOther {
			begun++
		} else if codeOf(t, rec) != "invalid_state" {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	}
	if begun != 1 || w.provider.TokenCalls() != 1 {
		t.Errorf("%d sessions, %d token calls; want one of each", begun, w.provider.TokenCalls())
	}
}

func TestALoginThatTookTooLong(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
		time.Sleep(10*time.Minute + time.Second)
		if rec := b.get(t, callback); rec.Code != http.StatusBadRequest || codeOf(t, rec) != "login_expired" {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestTwentyTabsLogInAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	const tabs = 20
	b := w.browser()
	var (
		mu     sync.Mutex
		logins [tabs]*httptest.ResponseRecorder
		all    sync.WaitGroup
	)
	for i := range tabs { // none of them has the cookie of another one yet
		tab := w.browser()
		all.Go(func() {
			logins[i] = tab.get(t, fmt.Sprintf("/login?returnTo=/tab/%d", i))
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(b.cookies, tab.cookies)
		})
	}
	all.Wait()
	for i, login := range logins {
		callback := b.get(t, w.provider.Authorize(t, login.Header().Get("Location"), "ada"))
		if got := callback.Header().Get("Location"); got != fmt.Sprintf("/tab/%d", i) {
			t.Errorf("tab %d landed at %q: %d %s", i, got, callback.Code, callback.Body)
		}
	}
	b.see(t, "/")
	delete(b.cookies, "__Host-session")
	before := len(b.cookies)
	b.get(t, "/login")
	if len(b.cookies) != before {
		t.Errorf("a further tab added to %d cookies", before)
	}
}

func TestWithoutTheProviderNobodySignsInAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	w.provider.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Err: errors.New("refused")})
	b := w.browser()
	if rec := b.get(t, "/login"); rec.Code != http.StatusServiceUnavailable || codeOf(t, rec) != "identity_unavailable" || rec.Header().Get("Retry-After") == "" {
		t.Errorf("login: %d %s", rec.Code, rec.Body)
	}
	if rec := b.get(t, "/login", "Accept", "text/html"); rec.Header().Get("Location") != "/?problem=identity_unavailable" {
		t.Errorf("a person is sent to %q", rec.Header().Get("Location"))
	}
	w.provider.Announce(`"id_token_signing_alg_values_supported":["ES256"]`)
	callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
	w.provider.Behave(sessiontest.Behaviour{Answer: &upstreamtest.Answer{Status: 503}})
	if rec := b.get(t, callback); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("callback: %d %s", rec.Code, rec.Body)
	}
	w.provider.Behave(sessiontest.Behaviour{})
	if rec := b.get(t, callback); rec.Code != http.StatusSeeOther {
		t.Errorf("the same again: %d %s", rec.Code, rec.Body)
	}
	b.see(t, "/")
}

func TestAMetadataThatIsNotThatOfTheIssuer(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"of another issuer":        `{"issuer":"https://evil.test","authorization_endpoint":"https://evil.test/a","token_endpoint":"https://evil.test/t","jwks_uri":"https://evil.test/k"}`,
		"without a token endpoint": `{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/a","jwks_uri":"` + issuer + `/k"}`,
		"with a script in it":      `{"issuer":"` + issuer + `","authorization_endpoint":"javascript:alert(1)","token_endpoint":"` + issuer + `/t","jwks_uri":"` + issuer + `/k"}`,
		"not JSON":                 `<html>`,
		"far too large":            strings.Repeat(" ", 1<<20) + `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
			w.provider.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Body: document})
			if rec := w.browser().get(t, "/login"); rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Location") != "" {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
}
