package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys bounds the published set, for anybody may rotate.
const maxKeys = 8

// keyRing is the keys of the provider, newest first; the first one signs. Safe for concurrent use.
type keyRing struct {
	mu   sync.RWMutex
	keys []jose.JSONWebKey // private ones
}

func newKeyRing() (*keyRing, error) {
	ring := new(keyRing)
	_, err := ring.rotate()
	return ring, err
}

func (k *keyRing) rotate() (kid string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a signing key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("name a signing key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = slices.Insert(k.keys, 0, key)
	k.keys = k.keys[:min(len(k.keys), maxKeys)]
	return key.KeyID, nil
}

func (k *keyRing) retire(kid string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := slices.IndexFunc(k.keys, func(key jose.JSONWebKey) bool { return key.KeyID == kid })
	switch at {
	case -1:
		return fmt.Errorf("key %q is not published", kid)
	case 0:
		return errors.New("the key that signs cannot be retired: rotate first")
	}
	k.keys = slices.Delete(k.keys, at, at+1)
	return nil
}

// published is the JWKS: the public part of every key.
func (k *keyRing) published() *jose.JSONWebKeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	set := new(jose.JSONWebKeySet)
	for _, key := range k.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

func (k *keyRing) sign(typ string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	k.mu.RLock()
	key := k.keys[0]
	k.mu.RUnlock()
	options := new(jose.SignerOptions).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", key.KeyID, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", key.KeyID, err)
	}
	return signed.CompactSerialize()
}

// verify is the payload of a JWT of the given typ that a published key signed. It judges no claims.
func (k *keyRing) verify(typ, raw string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, err
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ {
		return nil, fmt.Errorf("typ is not %s", typ)
	}
	known := k.published().Key(header.KeyID)
	if len(known) != 1 {
		return nil, fmt.Errorf("key %q is not published", header.KeyID)
	}
	return signed.Verify(known[0])
}
