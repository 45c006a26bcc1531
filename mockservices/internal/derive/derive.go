// Package derive makes up data from ids: the same id gives the same data, in every process and on every day.
package derive

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Source is a stream of choices that depends on nothing but its seed. It is not safe for concurrent use.
type Source struct {
	random *rand.Rand
}

// From is the source of a seed, such as a kind and an id. Different seeds are different, however they are cut.
func From(seed ...string) *Source {
	hash := sha256.New()
	for _, part := range seed {
		// A hash never fails to be written to.
		_ = binary.Write(hash, binary.BigEndian, uint64(len(part)))
		_, _ = hash.Write([]byte(part))
	}
	sum := hash.Sum(nil)
	//nolint:gosec // made-up data has to be repeatable, not secret
	return &Source{rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))}
}

// Between is a number from low to high, both included.
func (s *Source) Between(low, high int) int {
	return low + s.random.IntN(high-low+1)
}

// Text is length characters of alphabet, which must be ASCII.
func (s *Source) Text(alphabet string, length int) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = alphabet[s.random.IntN(len(alphabet))]
	}
	return string(text)
}

// Pick is one of choices, which must not be empty.
func Pick[T any](s *Source, choices []T) T {
	return choices[s.random.IntN(len(choices))]
}
