package ratelimit

import (
	"net/http"
	"strconv"

	"bff.internal/shared/problem"
)

// quotaExceeded is the type of problem that the draft registers with IANA.
const quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// Middleware returns a middleware that lets requests pass as long as their caller is within the limit. Who that is, is
// for key to say: requests with the same text share a bucket, those with "" too. All others go to fail, which has to
// answer them; the error is a problem.Problem with status 429 and the code rate_limited, or the context's if that ended
// before it was known.
//
// Every answer, that of fail included, carries two fields of draft-ietf-httpapi-ratelimit-headers. Limiters behind one
// another add an item each:
//
//	RateLimit-Policy: "partner";q=100;w=10  100 requests at once, all of them back after 10 seconds
//	RateLimit: "partner";r=42;t=1           42 of them are left, and in a second there is one more
//
// So t is the effective window of the draft, in seconds from now, rounded up: until then r requests can be made and no
// more. It is not when the bucket is full. The Retry-After of a 429 is t, and a caller who waits for that long and has
// no other requests under way is admitted.
func (l *Limiter) Middleware(key func(*http.Request) string, fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d, err := l.decide(r.Context(), key(r))
			if err != nil {
				fail(w, r, err)
				return
			}
			header := w.Header()
			header.Add("RateLimit-Policy", d.policy)
			header.Add("RateLimit", d.item(l.opts.Name))
			if !d.allowed {
				l.opts.Metrics.RateLimit(l.opts.Name, "limited", d.where)
				fail(w, r, d.problem())
				return
			}
			l.opts.Metrics.RateLimit(l.opts.Name, "allowed", d.where)
			next.ServeHTTP(w, r)
		})
	}
}

// item is the decision as an item of RateLimit.
func (d decision) item(name string) string {
	t := ceil(d.next.Nanoseconds(), 1e9)
	return `"` + name + `";r=` + strconv.FormatInt(d.remaining, 10) + ";t=" + strconv.FormatInt(t, 10)
}

// problem is the answer to a request that is not let pass.
func (d decision) problem() *problem.Problem {
	p := problem.New(http.StatusTooManyRequests, "rate_limited",
		"There were too many requests. Please wait for as many seconds as Retry-After says.").RetryAfter(d.next)
	p.Type = quotaExceeded
	return p
}
