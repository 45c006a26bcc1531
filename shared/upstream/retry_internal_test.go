package upstream

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name, text string
		want       time.Duration
		ok         bool
	}{
		{"no time", "0", 0, true},
		{"seconds", "120", 2 * time.Minute, true},
		{"more seconds than there are", "18446744073709551615", (1 << 31) * time.Second, true},
		{"a date", "Fri, 02 Jan 2026 03:05:05 GMT", time.Minute, true},
		{"a date as RFC 850 writes it", "Friday, 02-Jan-26 03:05:05 GMT", time.Minute, true},
		{"a date as C writes it", "Fri Jan  2 03:05:05 2026", time.Minute, true},
		{"a date that has passed", "Fri, 02 Jan 2026 03:04:04 GMT", 0, true},
		{"a date of another age", "Mon, 01 Jan 0001 00:00:00 GMT", 0, true},
		{"nothing", "", 0, false},
		{"a negative number", "-1", 0, false},
		{"a signed number", "+1", 0, false},
		{"half a second", "0.5", 0, false},
		{"a number with a unit", "5s", 0, false},
		{"a number too large to be one", "99999999999999999999", 0, false},
		{"words", "tomorrow", 0, false},
		{"a date of another format", "2026-01-02T03:05:05Z", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := retryAfterOf(tt.text, now); got != tt.want || ok != tt.ok {
				t.Errorf("retryAfterOf(%q) = %v, %v; want %v, %v", tt.text, got, ok, tt.want, tt.ok)
			}
		})
	}
}
