package session_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestTheProviderIsReachedWhereItIsForThisProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), func(c *session.Config) { c.InternalURL = "http://identity:9000/" })
	b := w.browser()
	login := b.get(t, "/login").Header().Get("Location")
	if !strings.HasPrefix(login, issuer+"/authorize?") {
		t.Errorf("the browser is sent to %q", login)
	}
	if rec := b.get(t, w.provider.Authorize(t, login, "ada")); rec.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	asked := map[string]bool{}
	for _, req := range w.provider.Requests() {
		asked[req.URL.String()] = true
		if req.Host != "" && req.Host != "identity:9000" {
			t.Errorf("%s is asked as %q", req.URL, req.Host)
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys"} {
		if !asked["http://identity:9000"+path] || len(asked) != 3 {
			t.Errorf("asked: %v", asked)
		}
	}
}

func TestAHostThatOnlyBeginsLikeTheIssuerIsNotTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), func(c *session.Config) { c.InternalURL = "http://identity:9000" })
	w.provider.Answer("/.well-known/openid-configuration", upstreamtest.Answer{
		Body: `{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/authorize","token_endpoint":"` + issuer + `.elsewhere/token","jwks_uri":"` +
			issuer + `/keys","id_token_signing_alg_values_supported":["ES256"]}`,
	})
	b := w.browser()
	b.get(t, w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada"))
	for _, req := range w.provider.Requests() {
		if req.URL.Path == "/token" && req.URL.Host != "id.test.elsewhere" {
			t.Errorf("the token endpoint is asked at %s", req.URL)
		}
	}
}

func TestWhatTheTokenEndpointSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer upstreamtest.Answer
		status int
		code   string
	}{
		{"not now", upstreamtest.Answer{Status: 400, Body: `{"error":"temporarily_unavailable"}`}, 503, "identity_unavailable"},
		{"a mistake of its own", upstreamtest.Answer{Status: 400, Body: `{"error":"server_error"}`}, 503, "identity_unavailable"},
		{"that it does not know us", upstreamtest.Answer{Status: 400, Body: `{"error":"invalid_client"}`}, 503, "identity_unavailable"},
		{"that we may not", upstreamtest.Answer{Status: 400, Body: `{"error":"unauthorized_client"}`}, 503, "identity_unavailable"},
		{"too many requests", upstreamtest.Answer{Status: 429, Body: `{"error":"slow_down"}`}, 503, "identity_unavailable"},
		{"without end", upstreamtest.Answer{Body: strings.Repeat(" ", 300<<10) + `{"access_token":"a","token_type":"Bearer"}`}, 503, "identity_unavailable"},
		{"that the scope is wrong", upstreamtest.Answer{Status: 400, Body: `{"error":"invalid_scope"}`}, 400, "login_failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
			b := w.browser()
			callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
			w.provider.Behave(sessiontest.Behaviour{Answer: &tt.answer})
			if rec := b.get(t, callback); rec.Code != tt.status || codeOf(t, rec) != tt.code {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestAlgorithmsThatProveNothingAreNotAccepted(t *testing.T) {
	t.Parallel()
	for _, announced := range []string{`["none"]`, `["HS256"]`, `["HS256","none","RS256"]`, `[]`} {
		w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
		w.provider.Announce(`"id_token_signing_alg_values_supported":` + announced)
		b := w.browser()
		rec := b.get(t, w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada"))
		if codeOf(t, rec) != "login_failed" { // for it is signed with ES256
			t.Errorf("%s: %d %s", announced, rec.Code, rec.Body)
		}
	}
}

func TestAnIDTokenForUsAndOthersIsForUsWhenItSaysSo(t *testing.T) {
	t.Parallel()
	for azp, begun := range map[string]bool{"app": true, "other": false, "": false} {
		w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
		w.provider.Behave(sessiontest.Behaviour{ChangeID: func(c jwt.MapClaims) {
			c["aud"] = []string{"app", "other"}
			if azp != "" {
				c["azp"] = azp
			}
		}})
		b := w.browser()
		rec := b.get(t, w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada"))
		if (rec.Code == http.StatusSeeOther) != begun {
			t.Errorf("azp %q: %d %s", azp, rec.Code, rec.Body)
		}
	}
}

func TestAnAnswerThatSaysThingsTwice(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"&iss=" + url.QueryEscape(issuer), "&error=access_denied&error=access_denied", "&error=access_denied"} {
		w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
		b := w.browser()
		callback := w.provider.Authorize(t, b.get(t, "/login").Header().Get("Location"), "ada")
		if rec := b.get(t, callback+more); rec.Code != http.StatusBadRequest || w.provider.TokenCalls() != 0 {
			t.Errorf("with %s: %d after %d token calls", more, rec.Code, w.provider.TokenCalls())
		}
	}
}

func TestWhereALogoutSendsTheBrowser(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, announced, logoutURL string
		hint                       bool
	}{
		{"to the provider", `"end_session_endpoint":"` + issuer + `/bye?x=1"`, issuer + "/bye?client_id=app&", true},
		{"home, when the provider has no such place", `"x":1`, external + "/", false},
		{"home, when that place is none", `"end_session_endpoint":"javascript:alert(1)"`, external + "/", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
			w.provider.Announce(`"id_token_signing_alg_values_supported":["ES256"],` + tt.announced)
			b := w.browser()
			w.signIn(t, b, "ada")
			var said struct{ LogoutURL string }
			if err := json.Unmarshal(b.do(t, http.MethodPost, "/logout").Body.Bytes(), &said); err != nil {
				t.Fatal(err)
			}
			target, err := url.Parse(said.LogoutURL)
			if err != nil || !strings.HasPrefix(said.LogoutURL, tt.logoutURL) {
				t.Fatalf("logoutUrl = %q, %v", said.LogoutURL, err)
			}
			query := target.Query()
			if (query.Get("id_token_hint") != "") != tt.hint || tt.hint && (query.Get("post_logout_redirect_uri") != external+"/" || query.Get("x") != "1") {
				t.Errorf("logoutUrl = %q", said.LogoutURL)
			}
		})
	}
}

func TestWhatAProviderDoesNotSayAboutTokens(t *testing.T) {
	t.Parallel()
	inBubble(t, miniredis.RunT(t), func(t *testing.T, w *world, b *browser) {
		// Neither how long the token lives nor, at the renewal, another refresh token.
		w.provider.Handle("/token", func(r *http.Request) upstreamtest.Answer {
			answer := w.provider.Token(r)
			if w.provider.TokenCalls() > 1 {
				answer.Body = without(t, answer.Body, "refresh_token", "expires_in", "id_token", "scope")
			} else {
				answer.Body = without(t, answer.Body, "expires_in")
			}
			return answer
		})
		w.signIn(t, b, "ada")
		first := b.see(t, "/")
		time.Sleep(4 * time.Minute)
		b.see(t, "/")
		if calls := w.provider.TokenCalls(); calls != 1 {
			t.Errorf("%d token calls for a token of four minutes", calls)
		}
		time.Sleep(2 * time.Minute)
		second := b.see(t, "/")
		if second.Token != "access-2-ada" || second.Key != first.Key {
			t.Errorf("after six minutes: %+v after %+v", second, first)
		}
		if !strings.Contains(first.Key, "orders") || !strings.Contains(first.Key, issuer) {
			t.Errorf("key = %q, want it to say the issuer and the scopes", first.Key)
		}
	})
}

func TestAShortLivedTokenIsNotRenewedAllTheTime(t *testing.T) {
	t.Parallel()
	addr := miniredis.RunT(t).Addr()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, connect(t, addr), nil)
		w.provider.Behave(sessiontest.Behaviour{Lifetime: 20 * time.Second})
		b := w.browser()
		w.signIn(t, b, "ada")
		time.Sleep(15 * time.Second)
		b.see(t, "/")
		synctest.Wait()
		if calls := w.provider.TokenCalls(); calls != 1 {
			t.Errorf("%d token calls within the first three quarters of its life", calls)
		}
		time.Sleep(2 * time.Second)
		b.see(t, "/")
		synctest.Wait()
		if calls := w.provider.TokenCalls(); calls != 2 {
			t.Errorf("%d token calls in its last fifth", calls)
		}
	})
}

func TestTheProviderIsAskedAboutItselfOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	for range 3 {
		w.signIn(t, w.browser(), "ada")
	}
	asked := 0
	for _, req := range w.provider.Requests() {
		if strings.HasPrefix(req.URL.Path, "/.well-known/") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
