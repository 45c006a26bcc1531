package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// selection is which requests an answer is for, as its Vary field says.
type selection struct {
	names []string
	// digest stands for what the request had in these fields, one of which may be a token.
	digest [sha256.Size]byte
}

// newSelection returns false when the answer is for no other request at all: Vary: *.
func newSelection(vary []string, request http.Header) (selection, bool) {
	var s selection
	for _, line := range vary {
		for name := range strings.SplitSeq(line, ",") {
			switch name = http.CanonicalHeaderKey(trim(name)); name {
			case "*":
				return selection{}, false
			case "":
			default:
				s.names = append(s.names, name)
			}
		}
	}
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
	s.digest = digest(s.names, request)
	return s, true
}

// personal says whether the answer depends on who asks.
func (s *selection) personal() bool {
	return slices.Contains(s.names, "Authorization") || slices.Contains(s.names, "Cookie")
}

// matches says whether the answer is for that request too.
func (s *selection) matches(request http.Header) bool {
	return len(s.names) == 0 || digest(s.names, request) == s.digest
}

// digest is a hash of the fields. Several lines are the same as one list, as in RFC 9111, section 4.1; an empty field is
// not the same as none.
func digest(names []string, header http.Header) [sha256.Size]byte {
	const length = 8
	// Usual fields fit on the stack.
	b := make([]byte, 0, 2<<10)
	for _, name := range names {
		lines := header[name]
		start := len(b) + length
		b = binary.BigEndian.AppendUint64(b, 0)
		for i, line := range lines {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, trim(line)...)
		}
		if len(lines) > 0 {
			binary.BigEndian.PutUint64(b[start-length:], uint64(len(b)-start+1)) //nolint:gosec // at least 1
		}
	}
	return sha256.Sum256(b)
}
