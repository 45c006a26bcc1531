package identity_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func TestReuseRevokesTheFamily(t *testing.T) {
	t.Parallel()
	for _, client := range []string{"mobile-app", "bff-web"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			b := newBrowser(t, provider)
			other := signedIn(t, b, client).RefreshToken
			family := []string{signedIn(t, newBrowser(t, provider), client).RefreshToken}
			for range 3 {
				next := ask(t, provider, client, refreshing(family[len(family)-1]))
				if next.status != 200 {
					t.Fatalf("refresh: %+v", next)
				}
				family = append(family, next.RefreshToken)
			}
			for i, member := range family { // the last one is the good one
				if good(t, provider, client, member) {
					t.Errorf("number %d of the family is good", i)
				}
			}
			if !good(t, provider, client, other) {
				t.Error("another family is revoked")
			}
		})
	}
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client string
		change func(refreshToken string) (sent string, scopes []string)
		secret string
		status int
		code   string
		after  bool // whether the token is good afterwards
	}{
		{"what nobody issued", "bff-web", func(string) (string, []string) { return "nobody's", nil }, "", 400, "invalid_grant", true},
		{"nothing", "bff-web", func(string) (string, []string) { return "", nil }, "", 400, "invalid_request", true},
		{"half of a token", "bff-web", func(raw string) (string, []string) { return raw[:len(raw)/2], nil }, "", 400, "invalid_grant", false},
		{"a token with more after it", "bff-web", func(raw string) (string, []string) { return raw + "x", nil }, "", 400, "invalid_grant", false},
		{"the token of another client", "mobile-app", func(raw string) (string, []string) { return raw, nil }, "", 400, "invalid_grant", true},
		{"a client that has no users", "bff-partner", func(raw string) (string, []string) { return raw, nil }, identity.DevPartnerSecret, 400, "unauthorized_client", true},
		{"a wrong secret", "bff-web", func(raw string) (string, []string) { return raw, nil }, "wrong", 401, "invalid_client", true},
		{
			"a scope of another client", "bff-web", func(raw string) (string, []string) { return raw, []string{"openid", "api"} }, "",
			400, "invalid_scope", true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			issued := signedIn(t, newBrowser(t, provider), "bff-web").RefreshToken
			sent, scopes := test.change(issued)
			form := refreshing(sent, scopes...)
			if test.secret != "" {
				form.Set("client_secret", test.secret)
			}
			got := ask(t, provider, test.client, form)
			if got.status != test.status || got.Error != test.code || got.AccessToken+got.RefreshToken != "" {
				t.Errorf("answer: %+v", got)
			}
			if good(t, provider, "bff-web", issued) != test.after {
				t.Errorf("afterwards it is not %v that the token is good", test.after)
			}
		})
	}
}

func TestScopesOfARefresh(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	answer := newBrowser(t, provider).signIn(t, asking("bff-web", "scope", "openid offline_access"), "ada")
	got := ask(t, provider, "bff-web", exchanging("bff-web", answer.Get("code")))
	steps := []struct {
		name   string
		scopes []string
		want   string // granted; empty when they are refused
		id     bool   // with an ID token
	}{
		{"fewer", []string{"offline_access"}, "offline_access", false},
		{"all of them again", nil, "openid offline_access", true},
		{"one that was not granted before", []string{"openid", "profile"}, "", false},
		{"one alone", []string{"openid"}, "openid", true},
		{"none, in so many words", []string{""}, "openid offline_access", true},
	}
	for _, step := range steps {
		next := ask(t, provider, "bff-web", refreshing(got.RefreshToken, step.scopes...))
		if step.want == "" {
			if next.status != 400 || next.Error != "invalid_scope" {
				t.Errorf("%s: %+v", step.name, next)
			}
			continue
		}
		if next.status != 200 || next.Scope != step.want || (next.IDToken != "") != step.id {
			t.Fatalf("%s: %+v", step.name, next)
		}
		if scope := claimsOf(t, next.AccessToken)["scope"]; scope != step.want {
			t.Errorf("%s: the access token is for %v", step.name, scope)
		}
		if step.id && claimsOf(t, next.IDToken)["name"] != nil {
			t.Errorf("%s: the ID token has a name", step.name)
		}
		got = next
	}
}

func TestRefreshTokensLiveForThirtyDays(t *testing.T) {
	t.Parallel()
	const life = 30 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		provider := standintest.NewIdentity(t)
		token := signedIn(t, newBrowser(t, provider), "mobile-app").RefreshToken
		for range 3 { // each has its own thirty days, whatever the browser's session has
			time.Sleep(life - time.Second)
			next := ask(t, provider, "mobile-app", refreshing(token))
			if next.status != 200 {
				t.Fatalf("answer: %+v", next)
			}
			token = next.RefreshToken
		}
		time.Sleep(life)
		if good(t, provider, "mobile-app", token) {
			t.Error("it is good for longer")
		}
	})
}

func TestRefreshTokensSayNothing(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	one := signedIn(t, newBrowser(t, provider), "mobile-app").RefreshToken
	two := ask(t, provider, "mobile-app", refreshing(one)).RefreshToken
	_, first, _ := strings.Cut(one, ".")
	_, second, _ := strings.Cut(two, ".")
	if len(first) != 43 || len(second) != 43 || first == second { // 256 bits in base64url
		t.Errorf("tokens: %s and %s", one, two)
	}
}

func TestOfManyRefreshesAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	token := signedIn(t, newBrowser(t, provider), "bff-web").RefreshToken
	var start, all sync.WaitGroup
	var succeeded atomic.Int32
	start.Add(1)
	for range 200 {
		all.Go(func() {
			start.Wait()
			if good(t, provider, "bff-web", token) {
				succeeded.Add(1)
			}
		})
	}
	start.Done()
	all.Wait()
	if succeeded.Load() != 1 {
		t.Errorf("%d succeeded", succeeded.Load())
	}
}

func TestOfManyExchangesAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	answer := newBrowser(t, provider).signIn(t, asking("bff-web"), "ada")
	var all sync.WaitGroup
	var succeeded atomic.Int32
	for range 50 {
		all.Go(func() {
			if ask(t, provider, "bff-web", exchanging("bff-web", answer.Get("code"))).status == 200 {
				succeeded.Add(1)
			}
		})
	}
	all.Wait()
	if succeeded.Load() != 1 {
		t.Errorf("%d succeeded", succeeded.Load())
	}
}
