package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"sync"

	"bff.internal/mockservices/internal/bounded"
)

// How much is remembered: one more, and the oldest is forgotten.
const (
	maxLogins   = 5_000
	maxCodes    = 10_000
	maxSessions = 100_000
	maxFamilies = 100_000
)

// memory is all that the provider remembers from one request to the next. Its lock also guards what it points to.
// Each method is in the file of what it remembers.
type memory struct {
	mu       sync.Mutex
	logins   *bounded.Map[string, login]
	codes    *bounded.Map[string, *code]
	visits   *bounded.Map[string, visit]    // by cookie
	sessions *bounded.Map[string, *session] // by sid
	families *bounded.Map[string, *family]
}

func newMemory() *memory {
	return &memory{
		logins:   bounded.NewMap[string, login](maxLogins),
		codes:    bounded.NewMap[string, *code](maxCodes),
		visits:   bounded.NewMap[string, visit](maxSessions),
		sessions: bounded.NewMap[string, *session](maxSessions),
		families: bounded.NewMap[string, *family](maxFamilies),
	}
}

// secret is 256 bits that nobody can guess, in characters that URLs and cookies take as they are.
func secret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
