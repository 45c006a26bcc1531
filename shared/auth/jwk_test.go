package auth_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhichKeysAreUsed(t *testing.T) {
	t.Parallel()
	other := newSigner(t, "other", "EdDSA")
	rs, es, es384, ed := newSigner(t, "k", "RS256"), newSigner(t, "k", "ES256"), newSigner(t, "k", "ES384"), newSigner(t, "k", "EdDSA")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := signer{"k", "RS256", small}
	large := with(rs.jwk(), "n", b64(append([]byte{1}, make([]byte, 8192/8)...)))
	outside := with(es.jwk(), "x", b64(elliptic.P256().Params().P.Bytes()))
	unknown, wrongMethod := invalid("the token is signed with an unknown key"), invalid("the token is signed with an algorithm that is not accepted")
	set := func(jwks ...any) string { return encode(map[string]any{"keys": append(jwks, other.jwk())}) }
	for _, tt := range []struct {
		name, set, token string
		want             answer
	}{
		{"a complete key is used", set(rs.jwk()), rs.mint(), accepted},
		{"use and key_ops may be absent", set(with(ed.jwk(), "use", nil)), ed.mint(), accepted},
		{"key_ops may say verify", set(with(ed.jwk(), "key_ops", []string{"verify"})), ed.mint(), accepted},
		{"a strange certificate does not matter", set(with(ed.jwk(), "x5c", []string{"?"})), ed.mint(), accepted},
		{"unknown members do not matter", set(with(ed.jwk(), "exp", 1)), ed.mint(), accepted},
		{"an RSA key that says nothing is for RS256", set(with(rs.jwk(), "alg", nil)), rs.mint(), accepted},
		{"and for nothing else", set(with(rs.jwk(), "alg", nil)), signer{"k", "PS256", rs.private}.mint(), wrongMethod},
		{"a P-256 key that says nothing is for ES256", set(with(es.jwk(), "alg", nil)), es.mint(), accepted},
		{"an Ed25519 key that says nothing is for EdDSA", set(with(ed.jwk(), "alg", nil)), ed.mint(), accepted},

		{"a key for encryption is not used", set(with(ed.jwk(), "use", "enc")), ed.mint(), unknown},
		{"a key for signing only is not used", set(with(ed.jwk(), "key_ops", []string{"sign"})), ed.mint(), unknown},
		{"a key without kid is not used", set(with(ed.jwk(), "kid", nil)), ed.mint(), unknown},
		{"a key with its private part is not used", set(with(ed.jwk(), "d", b64(make([]byte, 32)))), ed.mint(), unknown},
		{"a symmetric key is not used", set(map[string]any{"kty": "oct", "kid": "k", "alg": "HS256", "k": "c2VjcmV0"}), ed.mint(), unknown},
		{"a key of an unknown kind is not used", set(with(ed.jwk(), "kty", "AKP")), ed.mint(), unknown},
		{"a key that is no object is not used", set("k"), ed.mint(), unknown},
		{"a member that comes twice spoils the whole set", `{"keys":[{"kid":"k","kid":"l"},` + encode(other.jwk()) + `]}`, other.mint(), answer{503, "identity_unavailable", ""}},
		{"two keys of one kid are not used", set(ed.jwk(), es.jwk()), ed.mint(), unknown},
		{"nor are three", set(ed.jwk(), es.jwk(), ed.jwk()), ed.mint(), unknown},
		{"one of them for encryption does not matter", set(ed.jwk(), with(es.jwk(), "use", "enc")), ed.mint(), accepted},
		{"an RSA key of 1024 bits is not used", set(weak.jwk()), weak.mint(), unknown},
		{"an RSA key of more than 8192 bits is not used", set(large), rs.mint(), unknown},
		{"a point that is not on its curve is not used", set(outside), es.mint(), unknown},
		{"an RSA key for HS256 is not used", set(with(rs.jwk(), "alg", "HS256")), rs.mint(), unknown},
		{"a P-384 key for ES256 is not used", set(with(es384.jwk(), "alg", "ES256")), es.mint(), unknown},
		{"a P-384 key that says nothing is not for ES256", set(with(es384.jwk(), "alg", nil)), es.mint(), wrongMethod},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			identity := newIssuer()
			identity.answer(http.StatusOK, tt.set)
			if diff := cmp.Diff(tt.want, ask(identity.verifier(), "Bearer "+tt.token)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
