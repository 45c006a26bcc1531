package apikey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"bff.internal/shared/secret"
)

// minPepper is as long as what openssl rand -hex 16 prints.
const minPepper = 32

// Config is the part of a BFF's configuration that its API keys need.
type Config struct {
	Pepper secret.String `env:"KEY_PEPPER,required" help:"comma-separated secrets of at least 32 characters (openssl rand -base64 32), newest first: keys are stored under the first one and found under all. A key whose pepper is gone is refused; to rotate, let every replica know the new one at the end of the list before it comes first"`
}

// Validate says what is wrong with the pepper, and nothing of it.
func (c Config) Validate() error {
	_, err := newPeppers(c.Pepper)
	return err
}

// peppers are the secrets under which keys are stored, the newest first.
type peppers struct {
	secrets [][]byte
	// nobody's is a MAC of no key, to compare with where there is no other.
	nobodys [sha256.Size]byte
}

func newPeppers(list secret.String) (peppers, error) {
	var p peppers
	for text := range strings.SplitSeq(list.Reveal(), ",") {
		if text = strings.TrimSpace(text); len(text) < minPepper {
			return peppers{}, errors.New("KEY_PEPPER: one of its secrets is too short; wants at least 32 characters each, such as openssl rand -base64 32 prints")
		}
		p.secrets = append(p.secrets, []byte(text))
	}
	_, _ = rand.Read(p.nobodys[:]) // never fails
	return p, nil
}

// mac is how a new key is stored.
func (p peppers) mac(key string) []byte { return mac(p.secrets[0], key) }

// match reports whether stored is the MAC of the key under any pepper. It takes as long for no MAC at all.
func (p peppers) match(stored []byte, key string) bool {
	if len(stored) != sha256.Size {
		stored = p.nobodys[:]
	}
	found := 0
	for _, pepper := range p.secrets {
		found |= subtle.ConstantTimeCompare(stored, mac(pepper, key))
	}
	return found == 1
}

func mac(pepper []byte, key string) []byte {
	h := hmac.New(sha256.New, pepper)
	_, _ = h.Write([]byte(key)) // never fails
	return h.Sum(nil)
}
