package cache

import (
	"net/http"
	"time"
)

// afterStale is for how long an entry that can be revalidated is kept when it is of no other use.
const afterStale = time.Hour

// span is the time for which an answer is of use, counted by its age.
type span struct {
	answered time.Time
	// initial is how old the answer was when it came.
	initial time.Duration
	// lifetime is up to which age it is fresh, and explicit whether the service said so.
	lifetime time.Duration
	explicit bool
	// whileRevalidating and onError are for how long after its lifetime it may be used, each for one reason.
	whileRevalidating, onError time.Duration
	// validated says whether the service can be asked if the answer is still good.
	validated bool
}

func newSpan(header http.Header, c *control, asked, answered time.Time) span {
	date, ok := parseDate(header.Get("Date"))
	if !ok {
		date = answered
	}
	s := span{answered: answered, initial: initialAge(header, date, asked, answered)}
	s.lifetime, s.explicit = lifetime(header, c, date)
	if c.noCache {
		s.lifetime = 0
	}
	if !c.noCache && !c.mustRevalidate {
		s.whileRevalidating = max(c.staleWhileRevalidate, 0)
		s.onError = max(c.staleIfError, 0)
	}
	_, dated := modified(header)
	s.validated = dated || header.Get("ETag") != ""
	return s
}

// initialAge is the corrected_initial_age of RFC 9111, section 4.2.3.
func initialAge(header http.Header, date, asked, answered time.Time) time.Duration {
	said := parseSeconds(trim(header.Get("Age")))
	return max(bounded(answered.Sub(date)), bounded(said+bounded(answered.Sub(asked))))
}

// lifetime is the freshness_lifetime of RFC 9111, section 4.2.1, as far as the service states it. A date that is none is
// in the past, and of several the first counts.
func lifetime(header http.Header, c *control, date time.Time) (d time.Duration, explicit bool) {
	if c.maxAge != unsaid {
		return c.maxAge, true
	}
	lines := header["Expires"]
	if len(lines) == 0 {
		return 0, false
	}
	d = longest
	for _, line := range lines {
		expires, ok := parseDate(line)
		if !ok {
			return 0, true
		}
		d = min(d, bounded(expires.Sub(date)))
	}
	return d, true
}

// parseDate tells a field that is not there from one that is wrong: the error of time.Parse costs more than the rest.
func parseDate(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	date, err := http.ParseTime(text)
	return date, err == nil
}

// bounded keeps sums of durations from overflowing.
func bounded(d time.Duration) time.Duration { return min(max(d, 0), longest) }

// age is the current_age of RFC 9111, section 4.2.3.
func (s *span) age(now time.Time) time.Duration { return s.initial + bounded(now.Sub(s.answered)) }

func (s *span) remaining(now time.Time) time.Duration { return s.lifetime - s.age(now) }

// until is when the answer is of no use any more.
func (s *span) until() time.Time {
	left := s.lifetime - s.initial
	end := left + max(s.whileRevalidating, s.onError)
	if s.validated {
		end = max(end, max(left, 0)+afterStale)
	}
	return s.answered.Add(end)
}

// Age is for how long the answer has been known to exist: RFC 9111, section 4.2.3, by its Age and Date.
func (e *Entry) Age(now time.Time) time.Duration { return e.span.age(now) }

// Remaining is for how long the answer stays fresh. It is 0 or less when it is not, as one with no-cache never is.
func (e *Entry) Remaining(now time.Time) time.Duration { return e.span.remaining(now) }

// Fresh says whether the answer may be used as it is.
func (e *Entry) Fresh(now time.Time) bool { return e.Remaining(now) > 0 }

// ServableWhileRevalidating says whether the answer may be used when the service is asked for a new one at the same time.
func (e *Entry) ServableWhileRevalidating(now time.Time) bool {
	return e.Remaining(now)+e.span.whileRevalidating > 0
}

// ServableOnError says whether the answer may be used when the service does not give a new one.
func (e *Entry) ServableOnError(now time.Time) bool {
	return e.Remaining(now)+e.span.onError > 0
}

// Explicit says whether the service said for how long its answer is fresh, by max-age or Expires.
func (e *Entry) Explicit() bool { return e.span.explicit }
