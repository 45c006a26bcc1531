package credentials

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const (
	// mobileApp is the public client of the mobile app.
	mobileApp = "mobile-app"
	// callback is where the app would listen (RFC 8252, 7.3). Nobody does: the code is in the redirect.
	callback = "http://127.0.0.1:49152/callback"
	// maxAnswer is the bytes of an answer for programs.
	maxAnswer = 64 << 10
)

// provider is what the flow needs of a provider's metadata.
type provider struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"` //nolint:tagliatelle // OpenID Connect Discovery spells it so
	Token         string `json:"token_endpoint"`         //nolint:tagliatelle // the same
}

// Token signs the user in at Identity as the mobile app does, by the code flow with PKCE, and returns an access token
// for bff-mobile.
func (h *Handler) Token(ctx context.Context, user string) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Within)
	defer cancel()
	v, issuer := h.newVisitor(), h.cfg.Issuer.String()
	var found provider
	if err := v.fetch(ctx, issuer+"/.well-known/openid-configuration", nil, &found); err != nil {
		return "", err
	}
	if found.Issuer != issuer {
		return "", fmt.Errorf("%s says that it is %s", issuer, found.Issuer)
	}
	verifier := rand.Text() + rand.Text()
	code, err := h.code(ctx, v, found, user, verifier)
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"` //nolint:tagliatelle // RFC 6749 spells it so
	}
	err = v.fetch(ctx, found.Token, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {mobileApp}, "redirect_uri": {callback},
		"code": {code}, "code_verifier": {verifier},
	}, &answer)
	if err == nil && answer.AccessToken == "" {
		err = fmt.Errorf("%s gives no token", found.Token)
	}
	return answer.AccessToken, err
}

// code has the user sign in and returns the authorization code.
func (h *Handler) code(ctx context.Context, v visitor, at provider, user, verifier string) (string, error) {
	begin, err := url.Parse(at.Authorization)
	if err != nil {
		return "", err
	}
	challenge, state := sha256.Sum256([]byte(verifier)), rand.Text()
	begin.RawQuery = url.Values{
		"response_type": {"code"}, "client_id": {mobileApp}, "redirect_uri": {callback}, "scope": {"openid profile"},
		"state": {state}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode()
	back, err := v.signIn(ctx, begin, h.login(user), func(p page) bool {
		return p.next != nil && p.next.Scheme+"://"+p.next.Host+p.next.Path == callback
	})
	if err != nil {
		return "", err
	}
	answer := back.next.Query()
	switch {
	case answer.Get("error") != "":
		return "", fmt.Errorf("%s says %s", at.Authorization, answer.Get("error"))
	case answer.Get("state") != state, answer.Get("iss") != at.Issuer, answer.Get("code") == "":
		return "", fmt.Errorf("%s answers something else than it was asked", at.Authorization)
	default:
		return answer.Get("code"), nil
	}
}

// fetch decodes the JSON that a GET or the POST of a form is answered with.
func (v visitor) fetch(ctx context.Context, from string, form url.Values, into any) error {
	at, err := url.Parse(from)
	if err != nil {
		return err
	}
	resp, err := v.send(ctx, at, form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %d %s", from, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s gives no answer that can be read: %w", from, err)
	}
	return nil
}
