package ratelimit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What a limit may be at most. A bucket is at most maxBurst × maxPer in microseconds, which is below the 2^53 up to
// which the numbers of a script are whole.
const (
	maxRequests = 1_000_000
	maxBurst    = 100_000
	maxPer      = 24 * time.Hour
	// maxRefill bounds how long a key is kept.
	maxRefill = 24 * time.Hour
)

// Limit is a token bucket.
type Limit struct {
	// Requests come back in each Per, one after the other.
	Requests int
	Per      time.Duration
	// Burst is how many requests the bucket holds.
	Burst int
}

// Config is the part of a BFF's configuration that limits its callers.
type Config struct {
	Rate  Rate `env:"RATE_LIMIT" envDefault:"600/1m" help:"how many requests a caller may make in the long run, such as 600/1m; over whole seconds, up to 24h"`
	Burst int  `env:"RATE_BURST" envDefault:"100" help:"how many requests a caller may make at once who has been quiet"`
}

// Limit is what the configuration says.
func (c Config) Limit() Limit {
	return Limit{Requests: c.Rate.Requests, Per: c.Rate.Per, Burst: c.Burst}
}

// Validate names each variable that is wrong and what it wants, a line each.
func (c Config) Validate() error {
	rate := checkRate(c.Rate)
	return errors.Join(rate, checkBurst(c.Burst, c.Rate, rate == nil))
}

func checkRate(r Rate) error {
	switch {
	case r.Requests < 1 || r.Requests > maxRequests:
		return fmt.Errorf("RATE_LIMIT: %v has too few or too many requests; wants 1 to %d of them, such as 600/1m", r, maxRequests)
	case r.Per < time.Second || r.Per > maxPer || r.Per%time.Second != 0:
		return fmt.Errorf("RATE_LIMIT: %v is over no time that can be counted; wants whole seconds from 1s to %s, such as 600/1m", r, short(maxPer))
	default:
		return nil
	}
}

func checkBurst(burst int, r Rate, rateIsGood bool) error {
	if burst < 1 || burst > maxBurst {
		return fmt.Errorf("RATE_BURST: %d is out of range; wants requests, from 1 to %d", burst, maxBurst)
	}
	if !rateIsGood {
		return nil
	}
	if in := int64(r.Requests) * int64(maxRefill/time.Second) / int64(r.Per/time.Second); int64(burst) > in {
		return fmt.Errorf("RATE_BURST: %d takes more than %s to come back; wants at most %d where RATE_LIMIT is %v", burst, short(maxRefill), in, r)
	}
	return nil
}

// Rate is so many requests in such a time.
type Rate struct {
	Requests int
	Per      time.Duration
}

// UnmarshalText reads a rate such as 600/1m.
func (r *Rate) UnmarshalText(text []byte) error {
	count, per, _ := strings.Cut(string(text), "/")
	requests, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return fmt.Errorf("%q is no rate", text)
	}
	duration, err := time.ParseDuration(strings.TrimSpace(per))
	if err != nil {
		return fmt.Errorf("%q is no rate", text)
	}
	*r = Rate{Requests: requests, Per: duration}
	return nil
}

// String is the text that UnmarshalText reads.
func (r Rate) String() string { return strconv.Itoa(r.Requests) + "/" + short(r.Per) }

// short is how people write a duration: 1m and not 1m0s.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
