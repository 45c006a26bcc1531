package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"bff.internal/shared/auth"
)

// FuzzBearer looks for a header that passes without a signature of the issuer.
func FuzzBearer(f *testing.F) {
	ed := newSigner(f, "ed", "EdDSA")
	v := newIssuer(ed).verifier()
	good := ed.mint()
	for _, seed := range []string{
		"", "Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "Bearer " + good, "Bearer " + swap(good, 2, ""),
		"Bearer " + swap(good, 0, b64([]byte(`{"alg":"none","kid":"ed","typ":"at+jwt"}`))), "Bearer " + respell(f, good),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, token, _ := strings.Cut(header, " ")
		switch got := ask(v, header); got.Status {
		case http.StatusOK:
			if strings.TrimLeft(token, " ") != good {
				t.Errorf("%q passed", header)
			}
		case http.StatusBadRequest, http.StatusUnauthorized:
		default:
			t.Errorf("%q is answered with %v", header, got)
		}
	})
}

// FuzzClaims looks for signed claims that are not read as they are written.
func FuzzClaims(f *testing.F) {
	ed := newSigner(f, "ed", "EdDSA")
	v := newIssuer(ed).verifier()
	for _, seed := range []string{
		payload(f, ed.mint()), payload(f, ed.mint(claim("aud", []string{audience, "x"}))), `{}`, `null`, `[]`, `{"exp":1e999}`,
		`{"exp":-1}`, `{"aud":{}}`, `{"sub":"\u0000"}`, `{"sub":"a","sub":"b"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		caller, err := v.Verify(t.Context(), ed.sign(`{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}`, claims))
		if (err == nil) != (caller.ID != "") {
			t.Errorf("%s yields %v and %v", claims, caller, err)
		}
	})
}

// FuzzKeySet looks for a key set that makes the fetch panic or is taken for the keys of the issuer
// although it is not.
func FuzzKeySet(f *testing.F) {
	ed := newSigner(f, "ed", "EdDSA")
	set := func(jwks ...any) string { return encode(map[string]any{"keys": jwks}) }
	for _, seed := range []string{
		set(ed.jwk()), set(newSigner(f, "rs", "RS256").jwk()), set(newSigner(f, "es", "ES256").jwk(), ed.jwk()),
		set(with(ed.jwk(), "x", "AA")), set(nil), set(1), `{}`, `[]`, `{"keys":{}}`,
		`{"keys":[{"kty":"RSA","kid":"ed","n":"AQ","e":"AAAAAAAAAAAAAAAB"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, keys string) {
		identity := newIssuer()
		identity.answer(http.StatusOK, keys)
		var caller auth.Caller
		caller, err := identity.verifier().Verify(t.Context(), ed.mint())
		switch {
		case err != nil && strings.Contains(err.Error(), "panicked"):
			t.Error(err)
		case err == nil && (caller.ID != "user-1" || !strings.Contains(keys, "keys")):
			t.Errorf("%q made %v", keys, caller)
		}
	})
}
