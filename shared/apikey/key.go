package apikey

import (
	"crypto/rand"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"

	"bff.internal/shared/secret"
)

const (
	prefix       = "pk_"
	idLength     = 12
	randomLength = 43
	sumLength    = 6
	keyLength    = len(prefix) + idLength + 1 + randomLength + sumLength

	lowercase = "0123456789abcdefghijklmnopqrstuvwxyz"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

var (
	wholeKey = regexp.MustCompile(`^pk_[a-z0-9]{12}_[0-9A-Za-z]{49}$`)
	idOnly   = regexp.MustCompile(`^[a-z0-9]{12}$`)
	// likeKey finds a key, or the beginning of one, inside a text.
	likeKey = regexp.MustCompile(`(?i)pk_[a-z0-9]{12}_`)
)

// generate makes a new key.
func generate() (id string, key secret.String) {
	id = randomText(lowercase, idLength)
	text := prefix + id + "_" + randomText(base62, randomLength)
	return id, secret.New(text + checksum(text))
}

// parse returns the id of a well-formed key.
func parse(text string) (id string, ok bool) {
	if len(text) != keyLength || !wholeKey.MatchString(text) {
		return "", false
	}
	body := text[:keyLength-sumLength]
	if checksum(body) != text[keyLength-sumLength:] {
		return "", false
	}
	return text[len(prefix) : len(prefix)+idLength], true
}

// ParseID returns the id in what an operator gives to name a key: the id, pk_<id>, or the whole key. ok is false for
// anything else.
func ParseID(text string) (id string, ok bool) {
	if wholeKey.MatchString(text) {
		return parse(text)
	}
	id = strings.TrimPrefix(text, prefix)
	return id, idOnly.MatchString(id)
}

// checksum is the CRC-32 (IEEE) of text in base 62, the digits 0-9, A-Z and a-z, the most significant first, with
// leading zeros.
func checksum(text string) string {
	var digits [sumLength]byte
	sum := crc32.ChecksumIEEE([]byte(text))
	for i := range digits {
		digits[sumLength-1-i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(digits[:])
}

// randomText returns n characters of the alphabet, each as likely as any other.
func randomText(alphabet string, n int) string {
	text, size := make([]byte, n), big.NewInt(int64(len(alphabet)))
	for i := range text {
		index, err := rand.Int(rand.Reader, size)
		if err != nil {
			panic("apikey: no randomness: " + err.Error()) // which crypto/rand says never to happen
		}
		text[i] = alphabet[index.Int64()]
	}
	return string(text)
}
