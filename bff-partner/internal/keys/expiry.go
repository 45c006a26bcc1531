package keys

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// maxDays keeps a time within what can be written down.
const maxDays = 100 * 365

// parseExpiry reads when a key ends; zero is never.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.Atoi(number); err == nil && days > 0 && days <= maxDays {
			return now.Add(time.Duration(days) * day), nil
		}
	}
	if duration, err := time.ParseDuration(text); err == nil && duration > 0 {
		return now.Add(duration), nil
	}
	if date, err := time.Parse(time.DateOnly, text); err == nil && !date.Add(day).IsZero() {
		return date.Add(day), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && !at.IsZero() { // zero would be never
		return at, nil
	}
	return time.Time{}, fmt.Errorf("--expires: %q is no end; wants never, 90d, 12h, 2027-06-30 or 2027-06-30T12:00:00Z", text)
}
