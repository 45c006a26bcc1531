package realtime

import (
	"encoding/binary"
	"time"
)

// frames finds the frames (RFC 6455, section 5.2) in what a client sends, however it is cut into pieces.
type frames struct {
	header [14]byte
	have   int    // bytes of the header
	rest   uint64 // bytes of the payload that are still to come
}

// count returns how many headers end in the piece. Malformed ones count too; the library refuses them.
func (f *frames) count(piece []byte) (headers int) {
	for len(piece) > 0 {
		if f.rest > 0 {
			skip := min(f.rest, uint64(len(piece)))
			f.rest -= skip
			piece = piece[skip:]
			continue
		}
		f.header[f.have] = piece[0]
		f.have++
		piece = piece[1:]
		if f.have == f.wants() {
			headers++
			f.rest = f.payload()
			f.have = 0
		}
	}
	return headers
}

// wants is how long the header is, as far as that is known.
func (f *frames) wants() int {
	size := 2
	if f.have < size {
		return size
	}
	switch f.header[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.header[1]&0x80 != 0 {
		size += 4 // the mask
	}
	return size
}

func (f *frames) payload() uint64 {
	switch length := f.header[1] & 0x7f; length {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		return binary.BigEndian.Uint64(f.header[2:])
	default:
		return uint64(length)
	}
}

// bucket lets through so many a second on average, and more at once after a quiet time.
type bucket struct {
	perSecond, burst float64
	tokens           float64
	filled           time.Time
}

func newBucket(perSecond, burst float64) bucket {
	return bucket{perSecond: perSecond, burst: burst, tokens: burst, filled: time.Now()}
}

// take reports whether there were so many left.
func (b *bucket) take(n int) bool {
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+b.perSecond*now.Sub(b.filled).Seconds())
	b.filled = now
	b.tokens -= float64(n)
	return b.tokens >= 0
}
