package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"bff.internal/mockservices/identity"
)

// tokens are what Identity gives a client.
type tokens struct {
	Access  string `json:"access_token"`  //nolint:tagliatelle // RFC 6749 spells it so
	Refresh string `json:"refresh_token"` //nolint:tagliatelle // the same
	ID      string `json:"id_token"`      //nolint:tagliatelle // OpenID Connect spells it so
}

// oauthClient is a client of Identity; one without a secret is public.
type oauthClient struct{ id, secret, redirect string }

func (s *suite) mobileApp() oauthClient {
	return oauthClient{"mobile-app", "", "http://127.0.0.1:49152/callback"}
}

func (s *suite) bffWeb() oauthClient {
	return oauthClient{"bff-web", identity.DevWebSecret, s.site() + "/web/callback"}
}

// signsIn has the user sign in for the client, page by page, and returns everything that the client gets.
func (s *suite) signsIn(t *testing.T, user string, client oauthClient) tokens {
	t.Helper()
	const verifier = "a-verifier-that-is-long-enough-for-the-rules-of-pkce"
	challenge := sha256.Sum256([]byte(verifier))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: s.client.Transport, Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), client.redirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(s.Identity + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {client.id}, "redirect_uri": {client.redirect}, "scope": {"openid profile offline_access"},
		"state": {"s"}, "nonce": {"n"}, "prompt": {"consent"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	back, err := browser.PostForm(page.Request.URL.String(), url.Values{"username": {user}, "password": {identity.DevPassword}})
	if err != nil {
		t.Fatal(err)
	}
	_ = back.Body.Close()
	at, err := back.Location()
	if err != nil || at.Query().Get("code") == "" {
		t.Fatalf("%v: %s to %v", err, back.Status, at)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {at.Query().Get("code")}, "redirect_uri": {client.redirect}, "code_verifier": {verifier},
	}
	return s.granted(t, client, form)
}

// granted posts to the token endpoint.
func (s *suite) granted(t *testing.T, client oauthClient, form url.Values) tokens {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if client.secret == "" {
		form.Set("client_id", client.id)
	} else {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(client.id+":"+client.secret)))
	}
	got := s.as(t, http.MethodPost, s.Identity+"/oauth/token", header, form.Encode())
	var given tokens
	if err := json.Unmarshal([]byte(got.body), &given); err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", got.Status, got.body)
	}
	return given
}
