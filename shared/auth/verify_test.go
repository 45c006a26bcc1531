package auth_test

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	rs, ps, es, ed := newSigner(t, "rs", "RS256"), newSigner(t, "ps", "PS256"), newSigner(t, "es", "ES256"), newSigner(t, "ed", "EdDSA")
	p384, rs384 := newSigner(t, "p384", "ES384"), signer{"rs384", "RS384", rs.private}
	stranger := newSigner(t, "ed", "EdDSA")
	identity := newIssuer(rs, ps, es, ed, p384, rs384)
	server := httptest.NewServer(identity)
	t.Cleanup(server.Close)
	cfg := identity.config()
	cfg.InternalURL = server.URL
	v := auth.NewVerifier(cfg, server.Client().Transport, slog.New(slog.DiscardHandler))

	header, claims := `{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}`, payload(t, ed.mint())
	now := time.Now().Unix()
	for _, tt := range []struct {
		name, token string
		want        answer
	}{
		{"a token by RS256 is accepted", rs.mint(), accepted},
		{"a token by PS256 is accepted", ps.mint(), accepted},
		{"a token by ES256 is accepted", es.mint(), accepted},
		{"a token by EdDSA is accepted", ed.mint(), accepted},
		{"the type is a media type in any case", ed.mint(head("typ", "Application/AT+JWT")), accepted},
		{"an audience may be a list of one", ed.mint(claim("aud", []string{audience})), accepted},
		{"a subject may be 255 bytes long", ed.mint(claim("sub", strings.Repeat("s", 255))), accepted},
		{"a token of nearly 8 KiB is accepted", ed.mint(claim("x", strings.Repeat("x", 5600))), accepted},
		{"unknown claims are ignored, in another case too", ed.mint(claim("SUB", "other"), claim("Exp", 1)), accepted},
		{"where a header says to get keys is ignored", ed.mint(head("jku", "http://127.0.0.1:1/"), head("x5u", "http://127.0.0.1:1/"), head("jwk", stranger.jwk())), accepted},

		{"algorithm none is refused", b64([]byte(`{"alg":"none","kid":"ed","typ":"at+jwt"}`)) + "." + b64([]byte(claims)) + ".", invalid("the token is signed with an algorithm that is not accepted")},
		{"algorithm None is refused", b64([]byte(`{"alg":"None","kid":"ed","typ":"at+jwt"}`)) + "." + b64([]byte(claims)) + ".", invalid("the token is signed with an algorithm that is not accepted")},
		{"no algorithm is refused", ed.mint(head("alg", nil)), invalid("the token is signed with an algorithm that is not accepted")},
		{"HS256 with the public key as PEM is refused", signWith(jwt.SigningMethodHS256, publicPEM(t, rs), `{"alg":"HS256","kid":"rs","typ":"at+jwt"}`, claims), invalid("the token is signed with an algorithm that is not accepted")},
		{"HS256 with the public key as JWK is refused", signWith(jwt.SigningMethodHS256, []byte(encode(rs.jwk())), `{"alg":"HS256","kid":"rs","typ":"at+jwt"}`, claims), invalid("the token is signed with an algorithm that is not accepted")},
		{"an algorithm that is not configured is refused", rs384.mint(), invalid("the token is signed with an algorithm that is not accepted")},
		{"PS256 by a key for RS256 is refused", signer{"rs", "PS256", rs.private}.mint(), invalid("the token is signed with an algorithm that is not accepted")},
		{"RS256 by a key for PS256 is refused", signer{"ps", "RS256", ps.private}.mint(), invalid("the token is signed with an algorithm that is not accepted")},
		{"ES256 by a P-384 key is refused", signer{"p384", "ES256", es.private}.mint(), invalid("the token is signed with an algorithm that is not accepted")},
		{"ES256 by an Ed25519 key is refused", signer{"ed", "ES256", es.private}.mint(), invalid("the token is signed with an algorithm that is not accepted")},
		{"an unknown kid is refused", ed.mint(head("kid", "nobody")), invalid("the token is signed with an unknown key")},
		{"a path for a kid is refused", ed.mint(head("kid", "../../dev/null")), invalid("the token is signed with an unknown key")},
		{"a statement for a kid is refused", ed.mint(head("kid", "' UNION SELECT 'x")), invalid("the token is signed with an unknown key")},
		{"no kid is refused", ed.mint(head("kid", nil)), invalid("the token names no key")},
		{"an empty kid is refused", ed.mint(head("kid", "")), invalid("the token names no key")},
		{"a kid that is a number is refused", ed.mint(head("kid", 1)), invalid("the token is malformed")},
		{"the kid of another key of the issuer is refused", es.mint(head("kid", "ps"), head("alg", "ES256")), invalid("the token is signed with an algorithm that is not accepted")},
		{"a stranger's key with a known kid is refused", stranger.mint(), invalid("the signature of the token is invalid")},
		{"a stranger's key in the header is refused", stranger.mint(head("jwk", stranger.jwk())), invalid("the signature of the token is invalid")},
		{"a critical header is refused", ed.mint(head("crit", []string{"x"}), head("x", 1)), invalid("the token has critical headers that are not understood")},
		{"an empty list of critical headers is refused", ed.mint(head("crit", []string{})), invalid("the token has critical headers that are not understood")},
		{"an unencoded payload is refused", ed.mint(head("crit", []string{"b64"}), head("b64", false)), invalid("the token has critical headers that are not understood")},

		{"a token of type JWT is refused", ed.mint(head("typ", "JWT")), invalid("the token is no access token")},
		{"an ID token is refused", ed.mint(head("typ", "JWT"), claim("nonce", "n")), invalid("the token is no access token")},
		{"a logout token is refused", ed.mint(head("typ", "logout+jwt"), claim("events", map[string]any{})), invalid("the token is no access token")},
		{"a proof is refused", ed.mint(head("typ", "dpop+jwt")), invalid("the token is no access token")},
		{"a token of no type is refused", ed.mint(head("typ", nil)), invalid("the token is no access token")},
		{"a token that is bound to a key is refused", ed.mint(claim("cnf", map[string]any{"jkt": "x"})), invalid("the token is bound to a key and cannot be used as a bearer token")},

		{"another issuer is refused", ed.mint(claim("iss", "https://evil.example.com")), invalid("the token is of another issuer")},
		{"the issuer with a slash is another", ed.mint(claim("iss", issuerName+"/")), invalid("the token is of another issuer")},
		{"the issuer in capitals is another", ed.mint(claim("iss", "https://ID.example.com")), invalid("the token is of another issuer")},
		{"no issuer is refused", ed.mint(claim("iss", nil)), invalid("the token lacks a required claim")},
		{"the audience of another BFF is refused", ed.mint(claim("aud", "bff-web")), invalid("the token is for another audience")},
		{"an audience beside ours is refused", ed.mint(claim("aud", []string{audience, "bff-web"})), invalid("the token is for another audience")},
		{"no audience is refused", ed.mint(claim("aud", nil)), invalid("the token lacks a required claim")},
		{"an empty audience is refused", ed.mint(claim("aud", []string{})), invalid("the token lacks a required claim")},
		{"an audience that is a number is refused", ed.mint(claim("aud", 1)), invalid("the token is malformed")},
		{"an expired token is refused", ed.mint(claim("exp", now-11)), invalid("the token is expired")},
		{"an expired token is refused before its kid is asked for", ed.mint(claim("exp", now-11), head("kid", "nobody")), invalid("the token is expired")},
		{"a token without end is refused", ed.mint(claim("exp", nil)), invalid("the token lacks a required claim")},
		{"an end that is a string is refused", ed.mint(claim("exp", "9999999999")), invalid("the token is malformed")},
		{"an end beyond all time is refused", ed.mint(claim("exp", 1e18)), invalid("the token is malformed")},
		{"a token of the future is refused", ed.mint(claim("nbf", now+3600)), invalid("the token is not valid yet")},
		{"a token issued in the future is refused", ed.mint(claim("iat", now+3600)), invalid("the token is not valid yet")},
		{"no subject is refused", ed.mint(claim("sub", nil)), invalid("the token has no usable subject")},
		{"an empty subject is refused", ed.mint(claim("sub", "")), invalid("the token has no usable subject")},
		{"a subject of 256 bytes is refused", ed.mint(claim("sub", strings.Repeat("s", 256))), invalid("the token has no usable subject")},
		{"a subject with a line end is refused", ed.mint(claim("sub", "a\nb")), invalid("the token has no usable subject")},
		{"a subject with an escape sequence is refused", ed.mint(claim("sub", "\x1b[2J")), invalid("the token has no usable subject")},
		{"a client with a line end is refused", ed.mint(claim("client_id", "a\nb")), invalid("the token is malformed")},

		{"another payload is refused", swap(ed.mint(), 1, b64([]byte(strings.Replace(claims, "user-1", "user-2", 1)))), invalid("the signature of the token is invalid")},
		{"another signature is refused", swap(ed.mint(), 2, b64(make([]byte, 64))), invalid("the signature of the token is invalid")},
		{"another spelling of the signature is refused", respell(t, ed.mint()), invalid("the token is malformed")},
		{"no signature is refused", swap(ed.mint(), 2, ""), invalid("the signature of the token is invalid")},
		{"two segments are refused", strings.Join(strings.Split(ed.mint(), ".")[:2], "."), invalid("the token is malformed")},
		{"four segments are refused", ed.mint() + ".e30", invalid("the token is malformed")},
		{"an encrypted token is refused", "e30.e30.e30.e30.e30", invalid("the token is malformed")},
		{"a token of 9 KiB is refused", ed.mint(claim("x", strings.Repeat("x", 6700))), invalid("the token is longer than 8 KiB")},
		{"padding is refused", swap(ed.mint(), 2, b64(make([]byte, 64))+"=="), invalid("the token is malformed")},
		{"a header that comes twice is refused", ed.sign(`{"alg":"none","alg":"EdDSA","kid":"ed","typ":"at+jwt"}`, claims), invalid("the token is malformed")},
		{"an unknown header that comes twice is refused", ed.sign(`{"x":1,"x":2,"alg":"EdDSA","kid":"ed","typ":"at+jwt"}`, claims), invalid("the token is malformed")},
		{"a claim that comes twice is refused", ed.sign(header, `{"sub":"admin",`+claims[1:]), invalid("the token is malformed")},
		{"an unknown claim that comes twice is refused", ed.sign(header, `{"x":1,"x":2,`+claims[1:]), invalid("the token is malformed")},
		{"a header of no object is refused", ed.sign(`null`, claims), invalid("the token is malformed")},
		{"claims of no object are refused", ed.sign(header, `null`), invalid("the token lacks a required claim")},
		{"claims with something behind are refused", ed.sign(header, claims+`{}`), invalid("the token is malformed")},
		{"claims that are no UTF-8 are refused", ed.sign(header, "{\"x\":\"\xff\","+claims[1:]), invalid("the token is malformed")},
		{"what is no token is refused", "password", invalid("the token is malformed")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// The second time, the token may be remembered.
			for range 2 {
				if diff := cmp.Diff(tt.want, ask(v, "Bearer "+tt.token)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestClocksMayDifferByTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ed := newSigner(t, "ed", "EdDSA")
		v := newIssuer(ed).verifier()
		now := time.Now().Unix()
		want(t, v, ed.mint(claim("exp", now-9), claim("iat", now+10), claim("nbf", now+10)), accepted)
		want(t, v, ed.mint(claim("exp", now-10)), invalid("the token is expired"))
		want(t, v, ed.mint(claim("nbf", now+11)), invalid("the token is not valid yet"))
		want(t, v, ed.mint(claim("iat", now+11)), invalid("the token is not valid yet"))
	})
}

func TestAnIssuerThatSaysTypJWT(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	identity := newIssuer(ed)
	cfg := identity.config()
	cfg.PlainJWT = true
	v := auth.NewVerifier(cfg, identity, slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		name, token string
		want        answer
	}{
		{"typ JWT is accepted", ed.mint(head("typ", "JWT")), accepted},
		{"typ at+jwt still is", ed.mint(), accepted},
		{"what looks like an ID token is refused", ed.mint(head("typ", "JWT"), claim("nonce", "n")), invalid("the token is no access token")},
		{"what looks like an ID token of a code flow is refused", ed.mint(head("typ", "JWT"), claim("at_hash", "h")), invalid("the token is no access token")},
		{"what looks like a logout token is refused", ed.mint(head("typ", "JWT"), claim("events", map[string]any{})), invalid("the token is no access token")},
		{"no type is refused", ed.mint(head("typ", nil)), invalid("the token is no access token")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, ask(v, "Bearer "+tt.token)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCallerIsWhatTheTokenSays(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	token := ed.mint(claim("scope", " profile openid  profile"), claim("exp", float64(expires.Unix())+0.5))
	want := auth.Caller{
		Kind: auth.KindUser, ID: "user-1", ClientID: "app",
		Scopes: []string{"openid", "profile"}, Expires: expires,
	}
	got, err := newIssuer(ed).verifier().Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameKidOfTwoIssuersIsTwoKeys(t *testing.T) {
	t.Parallel()
	ours, theirs := newSigner(t, "1", "ES256"), newSigner(t, "1", "ES256")
	other := newIssuer(theirs)
	other.name = "https://other.example.com"
	v, o := newIssuer(ours).verifier(), other.verifier()
	for _, tt := range []struct {
		name     string
		verifier *auth.Verifier
		token    string
		want     answer
	}{
		{"our token with our key", v, ours.mint(), accepted},
		{"their token with their key", o, theirs.mint(claim("iss", other.name)), accepted},
		{"our token with their key", v, theirs.mint(), invalid("the signature of the token is invalid")},
		{"their token with our key", o, ours.mint(claim("iss", other.name)), invalid("the signature of the token is invalid")},
		{"their token at ours", v, theirs.mint(claim("iss", other.name)), invalid("the token is of another issuer")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, ask(tt.verifier, "Bearer "+tt.token)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALineEndInsideATokenIsRefused(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	token := ed.mint()
	for _, end := range []string{"\n", "\r"} {
		if _, err := newIssuer(ed).verifier().Verify(t.Context(), token[:len(token)-9]+end+token[len(token)-9:]); problem.From(err).Code != "invalid_token" {
			t.Errorf("a token with %q inside: %v", end, err)
		}
	}
}
