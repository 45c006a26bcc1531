package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// signer is a key of an issuer.
type signer struct {
	kid, alg string
	private  crypto.Signer
}

func newSigner(tb testing.TB, kid, alg string) signer {
	tb.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return signer{kid: kid, alg: alg, private: private}
}

// jwk is the public key as RFC 7517 writes it.
func (s signer) jwk() map[string]any {
	jwk := map[string]any{"kid": s.kid, "alg": s.alg, "use": "sig"}
	switch public := s.private.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		// An uncompressed point is a four, x and y.
		size := len(point) / 2
		jwk["kty"], jwk["crv"] = "EC", public.Params().Name
		jwk["x"], jwk["y"] = b64(point[1:1+size]), b64(point[1+size:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", b64(public)
	}
	return jwk
}

// edit changes what a token says.
type edit func(header, claims map[string]any)

// claim sets a claim; nil takes it away.
func claim(name string, value any) edit {
	return func(_, claims map[string]any) { put(claims, name, value) }
}

// head sets a member of the header; nil takes it away.
func head(name string, value any) edit {
	return func(header, _ map[string]any) { put(header, name, value) }
}

func put(members map[string]any, name string, value any) {
	if members[name] = value; value == nil {
		delete(members, name)
	}
}

// mint returns a good access token, but for the edits.
func (s signer) mint(edits ...edit) string {
	header := map[string]any{"alg": s.alg, "kid": s.kid, "typ": "at+jwt"}
	claims := map[string]any{
		"iss": issuerName, "aud": audience, "sub": "user-1", "client_id": "app", "scope": "profile openid", "jti": "1",
		"iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix(),
	}
	for _, change := range edits {
		change(header, claims)
	}
	return s.sign(encode(header), encode(claims))
}

// sign signs what is not even JSON.
func (s signer) sign(header, claims string) string {
	return signWith(jwt.GetSigningMethod(s.alg), s.private, header, claims)
}

func signWith(method jwt.SigningMethod, key any, header, claims string) string {
	text := b64([]byte(header)) + "." + b64([]byte(claims))
	signature, err := method.Sign(text, key)
	if err != nil {
		panic(err)
	}
	return text + "." + b64(signature)
}

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func with(jwk map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(jwk)
	put(changed, name, value)
	return changed
}

func payload(tb testing.TB, token string) string {
	tb.Helper()
	decoded, err := jwt.NewParser().DecodeSegment(strings.Split(token, ".")[1])
	if err != nil || !json.Valid(decoded) {
		tb.Fatal(err)
	}
	return string(decoded)
}

// swap replaces a segment of the token.
func swap(token string, segment int, by string) string {
	segments := strings.Split(token, ".")
	segments[segment] = by
	return strings.Join(segments, ".")
}

// respell writes the same signature with other bits behind its end, which a lax decoder ignores.
func respell(tb testing.TB, token string) string {
	tb.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	changed := token[:len(token)-1] + alphabet[last+1:last+2]
	if _, err := jwt.NewParser().DecodeSegment(strings.Split(changed, ".")[2]); err != nil {
		tb.Fatal("the signature is no base64url at all")
	}
	return changed
}

func publicPEM(tb testing.TB, s signer) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
