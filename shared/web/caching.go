package web

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/fanout"
)

// cacheControl says how long an answer is good: as long as all of its sections are. Where a service did not say that,
// whoever keeps the answer asks again each time.
func cacheControl(report fanout.Report) []string {
	explicit, remaining := true, time.Duration(math.MaxInt64)
	for _, s := range report.Sections {
		if s.Err != nil || s.Use.Forbidden {
			return noStore
		}
		explicit = explicit && s.Use.Explicit
		remaining = min(remaining, s.Use.Remaining)
	}
	if !explicit || len(report.Sections) == 0 {
		return revalidate
	}
	return []string{"private, max-age=" + strconv.FormatInt(seconds(max(0, remaining)), 10)}
}

// cacheStatus says of each section where it came from, as a list of RFC 9211 with a member for each.
func cacheStatus(header http.Header, report fanout.Report) {
	status := make([]byte, 0, 128)
	for _, s := range report.Sections {
		if s.Err != nil || s.Use.Status == 0 {
			continue
		}
		if len(status) > 0 {
			status = append(status, ", "...)
		}
		status = append(status, s.Name...)
		switch s.Use.Status {
		case cache.Hit, cache.Stale: // of what is stale, the time is over since then
			status = append(status, "; hit; ttl="...)
			status = strconv.AppendInt(status, seconds(s.Use.Remaining), 10)
		case cache.Revalidated:
			status = append(status, "; fwd=stale; fwd-status=304"...)
		case cache.Collapsed:
			status = append(status, "; fwd=miss; collapsed"...)
		case cache.Miss:
			status = append(status, "; fwd=miss"...)
		}
	}
	if len(status) > 0 {
		header["Cache-Status"] = []string{string(status)}
	}
}

// seconds rounds down, also what is less than 0: nothing is good for longer than that.
func seconds(d time.Duration) int64 { return int64(math.Floor(d.Seconds())) }
