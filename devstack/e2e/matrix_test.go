package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bff.internal/mockservices/identity"
)

// TestOnlyTheCredentialMadeForABFFOpensIt presents everything that anybody can hold to every BFF, in every way in which
// a credential can come.
func TestOnlyTheCredentialMadeForABFFOpensIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	app, web := s.signsIn(t, "ada", s.mobileApp()), s.signsIn(t, "ada", s.bffWeb())
	partner := s.granted(t, oauthClient{id: "bff-partner", secret: identity.DevPartnerSecret}, url.Values{"grant_type": {"client_credentials"}})
	cookie, _ := strings.CutPrefix(s.signedIn(t, "ada").Get("Cookie"), "__Host-session=")
	key := s.partnerKey(t)

	held := []struct{ name, credential, opens string }{
		{"the mobile app's access token", app.Access, "bff-mobile by bearer"},
		{"the mobile app's ID token", app.ID, ""},
		{"the mobile app's refresh token", app.Refresh, ""},
		{"bff-web's access token", web.Access, ""}, // which never leaves bff-web
		{"bff-web's ID token", web.ID, ""},
		{"bff-web's refresh token", web.Refresh, ""},
		{"bff-partner's own access token", partner.Access, ""},
		{"the cookie of a session", cookie, "bff-web by cookie"},
		{"the key of a partner", key, "bff-partner by bearer, bff-partner by X-API-Key"},
		{"the id of a partner's key", key[:15], ""},
		{"the secret of bff-partner's client", identity.DevPartnerSecret, ""},
		{"the secret of bff-web's client", identity.DevWebSecret, ""},
		{"the user's password", identity.DevPassword, ""},
		{"nothing", "", ""},
	}
	for _, way := range []struct {
		name   string
		header func(credential string) http.Header
	}{
		{"bearer", func(c string) http.Header { return http.Header{"Authorization": {"Bearer " + c}} }},
		{"DPoP", func(c string) http.Header { return http.Header{"Authorization": {"DPoP " + c}} }},
		{"basic", func(c string) http.Header { return http.Header{"Authorization": {"Basic " + c}} }},
		{"cookie", func(c string) http.Header { return http.Header{"Cookie": {"__Host-session=" + c}} }},
		{"X-API-Key", func(c string) http.Header { return http.Header{"X-Api-Key": {c}} }},
	} {
		for bff, path := range map[string]string{
			"bff-mobile": "/mobile/dashboard", "bff-web": "/web/dashboard", "bff-web's API": "/api/dashboard", "bff-partner": "/partner/v1/dashboard",
		} {
			t.Run(bff+" by "+way.name, func(t *testing.T) {
				t.Parallel()
				for _, h := range held {
					header := way.header(h.credential)
					header.Set("X-CSRF", "1")
					got := s.as(t, http.MethodGet, s.Edge+path, header, "")
					opens := strings.Contains(h.opens, strings.TrimSuffix(bff, "'s API")+" by "+way.name)
					switch {
					case opens && got.StatusCode != http.StatusOK:
						t.Errorf("%s: %s %s", h.name, got.Status, got.body)
					case !opens && got.StatusCode != http.StatusUnauthorized && (h.credential != "" || got.StatusCode != http.StatusBadRequest):
						t.Errorf("%s: %s, want 401: %s", h.name, got.Status, got.body)
					case len(h.credential) > 20 && strings.Contains(got.body, h.credential):
						t.Errorf("%s: the answer repeats it: %s", h.name, got.body)
					}
				}
			})
		}
	}
}

// TestNoCredentialOpensAServiceThatItIsNotFor asks the services themselves, which trust nobody in front of them.
func TestNoCredentialOpensAServiceThatItIsNotFor(t *testing.T) {
	t.Parallel()
	s := start(t)
	app := s.signsIn(t, "ada", s.mobileApp())
	partner := s.granted(t, oauthClient{id: "bff-partner", secret: identity.DevPartnerSecret}, url.Values{"grant_type": {"client_credentials"}})
	for _, tt := range []struct {
		name, url, credential string
		status                int
	}{
		{"a user's token for the user", s.Users + "/users/me", app.Access, 200},
		{"a user's token for a partner", s.Orders + "/orders?partner=acme", app.Access, 403},
		{"bff-partner's token for a partner", s.Orders + "/orders?partner=acme", partner.Access, 200},
		{"an ID token", s.Users + "/users/me", app.ID, 401},
		{"a refresh token", s.Users + "/users/me", app.Refresh, 401},
		{"a partner's key", s.Orders + "/orders?partner=acme", s.partnerKey(t), 401},
	} {
		got := s.as(t, http.MethodGet, tt.url, http.Header{"Authorization": {"Bearer " + tt.credential}}, "")
		if got.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d: %s", tt.name, got.Status, tt.status, got.body)
		}
	}
}
