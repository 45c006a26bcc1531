package cache

import (
	"net/http"
	"strings"
	"time"
)

const (
	// longest is what a service can ask for at most: the 2^31 seconds of RFC 9111, section 1.2.2.
	longest = (1 << 31) * time.Second
	// unsaid is the length that no directive gave.
	unsaid = time.Duration(-1)
)

// control is what the lines of a Cache-Control field say together. Of a directive that comes more than once, the
// stricter one counts. A length is unsaid or from 0 to longest.
type control struct {
	noStore, noCache, mustRevalidate, public, private bool

	maxAge, staleWhileRevalidate, staleIfError time.Duration
}

// Forbidden says whether the service wants nobody to keep its answer: Cache-Control: no-store.
func Forbidden(response http.Header) bool {
	return parseControl(response.Values("Cache-Control")).noStore
}

// parseControl reads the lines of a Cache-Control field. It ignores what it does not know, and s-maxage too, which is for
// shared caches.
func parseControl(lines []string) control {
	c := control{maxAge: unsaid, staleWhileRevalidate: unsaid, staleIfError: unsaid}
	for _, line := range lines {
		for line != "" {
			var name, value string
			name, value, line = nextDirective(line)
			c.add(name, value)
		}
	}
	return c
}

func (c *control) add(name, value string) {
	switch strings.ToLower(name) {
	case "no-store":
		c.noStore = true
	case "no-cache":
		c.noCache = true
	case "must-revalidate":
		c.mustRevalidate = true
	case "public":
		c.public = true
	case "private":
		c.private = true
	case "max-age":
		c.maxAge = stricter(c.maxAge, value)
	case "stale-while-revalidate":
		c.staleWhileRevalidate = stricter(c.staleWhileRevalidate, value)
	case "stale-if-error":
		c.staleIfError = stricter(c.staleIfError, value)
	}
}

// stricter is the shorter of a length and the one that the value spells; that is 0 when it is no number of seconds.
func stricter(length time.Duration, value string) time.Duration {
	said := parseSeconds(value)
	if length == unsaid {
		return said
	}
	return min(length, said)
}

// parseSeconds reads digits; anything else is 0. What is longer than longest is longest.
func parseSeconds(s string) time.Duration {
	var seconds int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		seconds = min(10*seconds+int64(s[i]-'0'), int64(longest/time.Second))
	}
	return time.Duration(seconds) * time.Second
}

// nextDirective cuts the first directive off a list. The value is "" when there is none.
func nextDirective(list string) (name, value, rest string) {
	end := strings.IndexAny(list, ",=")
	if end < 0 {
		return trim(list), "", ""
	}
	name, rest = trim(list[:end]), list[end+1:]
	if list[end] == ',' {
		return name, "", rest
	}
	if quoted, after, ok := cutQuoted(strings.TrimLeft(rest, " \t")); ok {
		return name, quoted, after
	}
	value, rest, _ = strings.Cut(rest, ",")
	return name, trim(value), rest
}

// cutQuoted cuts a quoted string off. One that never ends is none: it must not hide the directives after it.
func cutQuoted(s string) (value, after string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", false
	}
	var unquoted strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return unquoted.String(), s[i+1:], true
		case '\\':
			i++
		}
		if i < len(s) {
			unquoted.WriteByte(s[i])
		}
	}
	return "", "", false
}

func trim(s string) string { return strings.Trim(s, " \t") }
