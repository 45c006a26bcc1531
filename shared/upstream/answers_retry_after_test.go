package upstream

import (
	"net/http"
	"testing"
	"time"
)

// FuzzRetryAfter looks for a Retry-After that asks for less than no time, or for so much that adding to it comes out
// below zero, and a retry then follows at once.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"0", "120", "-1", "1e9", "", " 1", "+1", "0x10", "99999999999999999999", "18446744073709551615",
		"Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat Jan  1 00:00:00 0000", "Sunday, 06-Nov-94 08:49:37 GMT",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		after, ok := retryAfterOf(text, now)
		if after < 0 || after > 1<<31*time.Second || !ok && after != 0 {
			t.Errorf("%q asks for %v, %v", text, after, ok)
		}
		if date, err := http.ParseTime(text); err == nil && !ok {
			t.Errorf("%q is %v, and not understood", text, date)
		}
	})
}
