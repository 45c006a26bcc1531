package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxKeys bounds what one answer can make us hold. Issuers have two or three.
	maxKeys = 100
	// Below the first a key is broken, above the second verifying costs more than a request may.
	minRSABits, maxRSABits = 2048, 8192
)

// key is a public key and the one algorithm that it is for (RFC 8725, section 3.1).
type key struct {
	algorithm string
	public    publicKey
}

// publicKey is what every public key of the standard library can do.
type publicKey interface {
	Equal(other crypto.PublicKey) bool
}

func (k *key) same(other *key) bool {
	return k.algorithm == other.algorithm && k.public.Equal(other.public)
}

// parseKeys returns the usable keys of a JWK Set (RFC 7517) by their kid. A key that cannot be used is
// left out, as the RFC wants, and so are all keys that share a kid, for the name says nothing then. A set
// without any usable key, or with too many, is an error.
func parseKeys(set []byte) (map[string]*key, error) {
	var document struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(set, &document); err != nil {
		return nil, fmt.Errorf("reading the key set: %w", err)
	}
	if len(document.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys, more than %d", len(document.Keys), maxKeys)
	}
	keys := make(map[string]*key, len(document.Keys))
	seen := make(map[string]int, len(document.Keys))
	for _, raw := range document.Keys {
		id, k := parseKey(raw)
		if k == nil {
			continue
		}
		keys[id] = k
		if seen[id]++; seen[id] > 1 {
			delete(keys, id)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the key set has %d keys, none of them usable", len(document.Keys))
	}
	return keys, nil
}

// parseKey returns a key for verifying signatures and its kid, or nil if raw is none.
func parseKey(raw jsontext.Value) (id string, k *key) {
	var m jwkset.JWKMarshal
	if err := json.Unmarshal(raw, &m); err != nil {
		return "", nil
	}
	if m.KID == "" || private(m) {
		return "", nil
	}
	if (m.USE != "" && m.USE != jwkset.UseSig) ||
		(len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify)) {
		return "", nil
	}
	// Certificates are not what makes us trust the key, so a strange one does not matter.
	m.X5U, m.X5C, m.X5T, m.X5TS256 = "", nil, "", ""
	// Without its option Private, the library takes no symmetric key either.
	parsed, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil
	}
	public, ok := parsed.Key().(publicKey)
	if !ok {
		return "", nil
	}
	usual, possible := algorithmsOf(public)
	algorithm := string(m.ALG)
	if algorithm == "" {
		algorithm = usual
	}
	if !slices.Contains(possible, algorithm) {
		return "", nil
	}
	return m.KID, &key{algorithm: algorithm, public: public}
}

// private reports whether the key holds what only its owner may know. An issuer that publishes it has
// lost the key.
func private(m jwkset.JWKMarshal) bool {
	return m.D != "" || m.P != "" || m.Q != "" || m.DP != "" || m.DQ != "" || m.QI != "" || len(m.OTH) > 0 || m.K != ""
}

// algorithmsOf returns what a key can be used for, and what it is used for when it does not say. Nothing
// is possible with a key that is too small, too large or of no known kind.
func algorithmsOf(public publicKey) (usual string, possible []string) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			return "RS256", []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
		}
	case *ecdsa.PublicKey:
		if algorithm, ok := map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[k.Params().Name]; ok {
			return algorithm, []string{algorithm}
		}
	case ed25519.PublicKey:
		return "EdDSA", []string{"EdDSA"}
	}
	return "", nil
}
