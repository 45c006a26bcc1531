package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"bff.internal/shared/secret"
)

const (
	keySize = 32
	// keyName is how much of a key's hash is in front of what it sealed, so that no other key is tried.
	keyName = 4
)

var errSeal = errors.New("sealed with an unknown key, for something else, or changed")

// keyring encrypts with its first key and decrypts with any: AES-256-GCM with random nonces.
type keyring []sealingKey

type sealingKey struct {
	name [keyName]byte
	aead cipher.AEAD
}

// parseKeys reads SESSION_KEYS, and derives the keys for one use from them: how much is sealed for one use, which for
// logins is up to anybody, wears out no key of another one. Its errors do not repeat what is in it.
func parseKeys(list secret.String, use string) (keyring, error) {
	var ring keyring
	for i, encoded := range strings.Split(list.Reveal(), ",") {
		key, err := decodeKey(strings.TrimSpace(encoded))
		if err != nil {
			return nil, fmt.Errorf("SESSION_KEYS: key %d %w; openssl rand -base64 32 makes one", i+1, err)
		}
		derived, err := hkdf.Key(sha256.New, key, nil, "bff session: "+use, keySize)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		hash := sha256.Sum256(append([]byte("session key\x00"), derived...))
		ring = append(ring, sealingKey{name: [keyName]byte(hash[:keyName]), aead: aead})
	}
	return ring, nil
}

func decodeKey(encoded string) ([]byte, error) {
	encoded = strings.TrimRight(encoded, "=")
	key, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		key, err = base64.RawURLEncoding.DecodeString(encoded)
	}
	switch {
	case err != nil:
		return nil, errors.New("is no base64")
	case len(key) != keySize:
		return nil, fmt.Errorf("has %d bytes and not %d", len(key), keySize)
	default:
		return key, nil
	}
}

// seal encrypts data for one purpose.
func (k keyring) seal(data []byte, purpose string) []byte {
	key := k[0]
	return key.aead.Seal(key.name[:], nil, data, []byte(purpose)) //nolint:gosec // G407: this AEAD makes its nonces itself
}

// open decrypts what seal has made for the same purpose.
func (k keyring) open(sealed []byte, purpose string) ([]byte, error) {
	if len(sealed) < keyName {
		return nil, errSeal
	}
	for _, key := range k {
		if [keyName]byte(sealed[:keyName]) != key.name {
			continue
		}
		if data, err := key.aead.Open(nil, nil, sealed[keyName:], []byte(purpose)); err == nil {
			return data, nil
		}
	}
	return nil, errSeal
}
