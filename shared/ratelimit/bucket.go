package ratelimit

import (
	"strconv"
	"time"
)

// bucketSize is a token bucket in whole numbers: a request costs unit, and each microsecond brings refill.
type bucketSize struct {
	unit, refill, capacity int64
}

// maxReplicas keeps the numbers of a share within 64 bits.
const maxReplicas = 10_000

// share is what one of n replicas gives, at least one request in each Per and one at once.
func (l Limit) share(n int) bucketSize {
	replicas := int64(min(max(n, 1), maxReplicas))
	unit := l.Per.Microseconds() * replicas
	return bucketSize{
		unit:     unit,
		refill:   max(int64(l.Requests), replicas),
		capacity: max(int64(l.Burst)/replicas, 1) * unit,
	}
}

// policy is the size as an item of RateLimit-Policy: how many requests it holds, and the seconds until all are back.
func (s bucketSize) policy(name string) string {
	full := ceil(ceil(s.capacity, s.refill), time.Second.Microseconds())
	return `"` + name + `";q=` + strconv.FormatInt(s.capacity/s.unit, 10) + ";w=" + strconv.FormatInt(full, 10)
}

// decision says what is left in a bucket of this size.
func (s bucketSize) decision(allowed bool, level int64, policy, where string) decision {
	return decision{
		allowed:   allowed,
		remaining: level / s.unit,
		next:      time.Duration(ceil(s.unit-level%s.unit, s.refill)) * time.Microsecond,
		policy:    policy,
		where:     where,
	}
}

// bucket is a bucket of this process.
type bucket struct {
	level int64
	// owed is what of the missing was taken while Redis was away, and has not been taken from the bucket there.
	owed int64
	// unit is the one that the above are counted in.
	unit int64
	at   time.Time
}

// fill puts in what has come since the last time. A full bucket owes nothing.
func (b *bucket) fill(s bucketSize, now time.Time) {
	if b.unit != s.unit {
		b.level, b.owed, b.unit = convert(b.level, b.unit, s.unit), convert(b.owed, b.unit, s.unit), s.unit
	}
	missing, elapsed := s.capacity-b.level, max(now.Sub(b.at).Microseconds(), 0)
	if elapsed >= ceil(missing, s.refill) {
		b.level, b.owed, b.at = s.capacity, 0, now
		return
	}
	b.level += elapsed * s.refill
	b.owed = max(b.owed-elapsed*s.refill, 0)
	b.at = b.at.Add(time.Duration(elapsed) * time.Microsecond) // and not now, whose nanoseconds would be lost
}

// take takes a request, if there is one.
func (b *bucket) take(s bucketSize) bool {
	if b.level < s.unit {
		return false
	}
	b.level -= s.unit
	b.owed += s.unit
	return true
}

// convert returns as many requests in another unit, rounded down.
func convert(level, from, to int64) int64 {
	return level/from*to + int64(float64(level%from)/float64(from)*float64(to))
}

// ceil is a ÷ b rounded up.
func ceil(a, b int64) int64 { return (a + b - 1) / b }
