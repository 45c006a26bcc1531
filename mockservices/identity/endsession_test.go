package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

// remains reports whether the browser is still signed in.
func (b *browser) remains(t *testing.T) bool {
	t.Helper()
	asked := asking("bff-web", "prompt", "none")
	return answered(t, asked, b.get(t, "/authorize", asked)).Has("code")
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	const here = "You are signed out"
	tests := []struct {
		name  string
		asked func(hint string) url.Values
		want  string // where the browser goes, or what the page says
	}{
		{"back to the client", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {webEnd}}
		}, webEnd},
		{"with a state and the client's name", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {webEnd}, "state": {"a&b"}, "client_id": {"bff-web"}}
		}, webEnd + "?state=a%26b"},
		{"to nowhere", func(hint string) url.Values { return url.Values{"id_token_hint": {hint}} }, here},
		{"to nowhere with a state", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "state": {"s"}}
		}, here},
		{"to another site", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://example.com/"}}
		}, here},
		{"to another path of the client", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {webEnd + "x"}}
		}, here},
		{"to the client's callback", func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {webCallback}}
		}, here},
	}
	for _, test := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" "+test.name, func(t *testing.T) {
				t.Parallel()
				provider := standintest.NewIdentity(t)
				b := newBrowser(t, provider)
				web := signedIn(t, b, "bff-web")
				asked := asking("mobile-app")
				waiting := answered(t, asked, b.get(t, "/authorize", asked)).Get("code")

				var got page
				if method == http.MethodGet {
					got = b.get(t, "/end_session", test.asked(web.IDToken))
				} else {
					got = b.post(t, "/end_session", test.asked(web.IDToken))
				}
				if test.want == here {
					isPage(t, got, 200, here)
				} else if got.status != http.StatusSeeOther || got.location.String() != test.want {
					t.Errorf("answer: %d to %v", got.status, got.location)
				}
				if cookie := got.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "identity_session=; Path=/; Max-Age=0") {
					t.Errorf("cookie: %q", cookie)
				}
				if b.remains(t) || good(t, provider, "bff-web", web.RefreshToken) {
					t.Error("the session goes on")
				}
				if got := ask(t, provider, "mobile-app", exchanging("mobile-app", waiting)); got.Error != "invalid_grant" {
					t.Errorf("a code of the session: %+v", got)
				}
			})
		}
	}
}

func TestEndSessionEndsWhatTheCookieMeant(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	b := newBrowser(t, provider)
	hint := signedIn(t, b, "bff-web").IDToken
	at, err := url.Parse(standintest.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.jar.Cookies(at)
	b.get(t, "/end_session", url.Values{"id_token_hint": {hint}})
	b.jar.SetCookies(at, kept)
	if b.remains(t) {
		t.Error("the old cookie still works")
	}
}

// TestEndSessionAsks is about requests that anybody could have made.
func TestEndSessionAsks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		asked func(t *testing.T, provider *identity.Provider, own string) url.Values
		want  string // where the browser goes once it was confirmed; empty for nowhere
	}{
		{"without anything", func(*testing.T, *identity.Provider, string) url.Values { return nil }, ""},
		{"with the client's name alone", func(*testing.T, *identity.Provider, string) url.Values {
			return url.Values{"client_id": {"bff-web"}, "post_logout_redirect_uri": {webEnd}, "state": {`"s"`}}
		}, webEnd + "?state=%22s%22"},
		{"with a URI that nobody vouches for", func(*testing.T, *identity.Provider, string) url.Values {
			return url.Values{"post_logout_redirect_uri": {webEnd}}
		}, ""},
		{"with a hint of another provider", func(t *testing.T, _ *identity.Provider, _ string) url.Values {
			t.Helper()
			other := standintest.NewIdentity(t)
			forged := signedIn(t, newBrowser(t, other), "bff-web").IDToken
			return url.Values{"id_token_hint": {forged}, "post_logout_redirect_uri": {webEnd}}
		}, ""},
		{"with a hint that was changed after it was signed", func(t *testing.T, _ *identity.Provider, own string) url.Values {
			t.Helper()
			claims := claimsOf(t, own)
			claims["sub"] = "grace"
			return url.Values{"id_token_hint": {tampered(t, own, claims)}}
		}, ""},
		{"with a hint of another issuer", func(t *testing.T, provider *identity.Provider, own string) url.Values {
			t.Helper()
			claims := claimsOf(t, own)
			claims["iss"] = "https://example.com"
			return url.Values{"id_token_hint": {sign(t, provider, "JWT", claims)}}
		}, ""},
		{"with a hint for nobody", func(t *testing.T, provider *identity.Provider, own string) url.Values {
			t.Helper()
			claims := claimsOf(t, own)
			claims["aud"] = "bff-tv"
			return url.Values{"id_token_hint": {sign(t, provider, "JWT", claims)}}
		}, ""},
		{"with a hint of another typ", func(t *testing.T, provider *identity.Provider, own string) url.Values {
			t.Helper()
			return url.Values{"id_token_hint": {sign(t, provider, "logout+jwt", claimsOf(t, own))}}
		}, ""},
		{"with the hint of another browser's session", func(t *testing.T, provider *identity.Provider, _ string) url.Values {
			t.Helper()
			others := signedIn(t, newBrowser(t, provider), "bff-web").IDToken
			return url.Values{"id_token_hint": {others}, "post_logout_redirect_uri": {webEnd}}
		}, webEnd},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			b := newBrowser(t, provider)
			own := signedIn(t, b, "bff-web")
			asked := test.asked(t, provider, own.IDToken)
			got := b.get(t, "/end_session", asked)
			isPage(t, got, 200, "Sign out?")
			isPage(t, b.post(t, "/end_session", asked), 200, "Sign out?")

			confirmed, _ := fields(got.body)
			guess, err := url.ParseQuery(confirmed.Encode())
			if err != nil {
				t.Fatal(err)
			}
			guess.Set("confirmation", "yes")
			isPage(t, b.post(t, "/end_session", guess), 200, "Sign out?")
			isPage(t, b.get(t, "/end_session", confirmed), 200, "Sign out?")
			if !b.remains(t) {
				t.Fatal("nobody confirmed, and the session is over")
			}

			got = b.post(t, "/end_session", confirmed)
			if test.want == "" {
				isPage(t, got, 200, "You are signed out")
			} else if got.status != http.StatusSeeOther || got.location.String() != test.want {
				t.Errorf("answer: %d to %v", got.status, got.location)
			}
			if b.remains(t) || good(t, provider, "bff-web", own.RefreshToken) {
				t.Error("the session goes on")
			}
		})
	}
}

func TestEndSessionByAnExpiredHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBrowser(t, standintest.NewIdentity(t))
		hint := signedIn(t, b, "bff-web").IDToken
		time.Sleep(11 * time.Hour)
		got := b.get(t, "/end_session", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {webEnd}})
		if got.status != http.StatusSeeOther || b.remains(t) {
			t.Errorf("answer: %d %s", got.status, got.body)
		}
	})
}

// Whoever has the ID token of a session ends it, as a client may whose POST came without cookies.
func TestEndSessionWithoutItsBrowser(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	b := newBrowser(t, provider)
	got := signedIn(t, b, "bff-web")
	answer := newBrowser(t, provider).post(t, "/end_session", url.Values{"id_token_hint": {got.IDToken}, "post_logout_redirect_uri": {webEnd}})
	if answer.status != http.StatusSeeOther || answer.location.String() != webEnd || len(answer.header.Values("Set-Cookie")) > 0 {
		t.Errorf("answer: %d to %v, %v", answer.status, answer.location, answer.header)
	}
	if b.remains(t) || good(t, provider, "bff-web", got.RefreshToken) {
		t.Error("the session goes on")
	}
}

func TestEndSessionWithNobodySignedIn(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	isPage(t, b.get(t, "/end_session", nil), 200, "You are signed out")
	back := b.get(t, "/end_session", url.Values{"client_id": {"bff-web"}, "post_logout_redirect_uri": {webEnd}})
	if back.status != http.StatusSeeOther || back.location.String() != webEnd {
		t.Errorf("answer: %d to %v", back.status, back.location)
	}
	// Another site's POST has no cookies of ours, so it cannot say that nobody is there.
	posted := b.post(t, "/end_session", url.Values{"client_id": {"bff-web"}})
	if posted.status != http.StatusSeeOther || posted.location.RequestURI() != "/end_session?client_id=bff-web" ||
		len(posted.header.Values("Set-Cookie")) > 0 {
		t.Errorf("answer: %d to %v, %v", posted.status, posted.location, posted.header)
	}
}

func TestEndSessionRefuses(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	hint := signedIn(t, b, "bff-web").IDToken
	isPage(t, b.get(t, "/end_session", url.Values{"id_token_hint": {hint}, "client_id": {"mobile-app"}}), 400, "made a mistake")
	isPage(t, b.get(t, "/end_session", url.Values{"state": {strings.Repeat("s", 9000)}}), 400, "made a mistake")
	if !b.remains(t) {
		t.Error("the session is over")
	}
}

func TestEndSessionLeadsToTheClient(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, standintest.NewIdentity(t))
	signedIn(t, b, "bff-web")
	for uri, want := range map[string]string{webEnd: " " + identity.DevWebURL, "https://example.com/": ""} {
		got := b.get(t, "/end_session", url.Values{"client_id": {"bff-web"}, "post_logout_redirect_uri": {uri}})
		_, actions, _ := strings.Cut(got.header.Get("Content-Security-Policy"), "form-action 'self'")
		if actions != want {
			t.Errorf("%s: the form may lead to%s", uri, actions)
		}
	}
}

// tampered is other claims under the header and the signature of a token.
func tampered(t *testing.T, original string, claims any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(original, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

func sign(t *testing.T, provider *identity.Provider, typ string, claims any) string {
	t.Helper()
	signed, err := provider.Sign(typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
