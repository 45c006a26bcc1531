package cache

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// kept are the fields of an answer that an entry needs. Nothing else of the header is stored.
var kept = [...]string{"Age", "Cache-Control", "Date", "Etag", "Expires", "Last-Modified", "Vary"} //nolint:gochecknoglobals // a constant

// Exchange is a request and its answer, which an entry is made of.
type Exchange struct {
	// Mark was taken of the store before the request was sent.
	Mark Mark
	// Request is the header as it was sent. Only a digest of the fields that the answer varies by is kept.
	Request http.Header
	// Response is the header of the answer. It is not kept, and may be changed afterwards.
	Response http.Header
	// Value is the decoded body. It must not change any more.
	Value any
	// Size is how many bytes of body the value was made of.
	Size int
	// Asked is when the request was sent, and Answered when the header of the answer came.
	Asked, Answered time.Time
}

// Entry is an answer that was kept. It never changes and may be used concurrently.
type Entry struct {
	mark      Mark
	header    http.Header
	control   control
	selection selection
	value     any
	size      int
	span      span
}

// NewEntry returns what is to be kept of an exchange. It returns nil when that is not allowed (no-store in the answer or
// in the request, Vary: *) or useless, as the answer is not fresh, may not be used stale and cannot be revalidated.
func NewEntry(x Exchange) *Entry {
	if !isKeepable(x.Response) {
		return nil
	}
	header := make(http.Header, len(kept))
	for _, name := range kept {
		if lines := x.Response[name]; len(lines) > 0 {
			header[name] = slices.Clone(lines)
		}
	}
	return newEntry(x, header)
}

// isKeepable reports whether the answer says anything of what makes one worth keeping: a lifetime or a validator.
func isKeepable(header http.Header) bool {
	return len(header["Cache-Control"]) > 0 || len(header["Etag"]) > 0 || len(header["Last-Modified"]) > 0 || len(header["Expires"]) > 0
}

// Renewed returns the entry after the service answered 304 to its [Entry.Conditions]: with the same value, a header
// updated by the new one (RFC 9111, sections 3.2 and 4.3.4), and the mark and the times of x, whose Value and Size do
// not matter. It returns nil when the entry must not be kept any more, because the new header forbids it or has
// the tag of another answer. Then the value may answer the request that was waiting for it, and is to be forgotten.
func (e *Entry) Renewed(x Exchange) *Entry {
	if tag := x.Response.Get("ETag"); tag != "" && opaque(tag) != opaque(e.header.Get("ETag")) {
		return nil
	}
	header := e.header.Clone()
	// The old ones would count the time from before the answer was confirmed.
	header.Del("Age")
	header.Del("Date")
	for _, name := range kept {
		if lines := x.Response[name]; len(lines) > 0 {
			header[name] = slices.Clone(lines)
		}
	}
	x.Value, x.Size = e.value, e.size
	return newEntry(x, header)
}

// newEntry takes the kept header from now on, and not that of x.
func newEntry(x Exchange, header http.Header) *Entry {
	c := parseControl(header["Cache-Control"])
	if c.noStore || parseControl(x.Request.Values("Cache-Control")).noStore {
		return nil
	}
	s, ok := newSelection(header["Vary"], x.Request)
	if !ok {
		return nil
	}
	e := &Entry{mark: x.Mark, header: header, control: c, selection: s, value: x.Value, size: max(x.Size, 0)}
	e.span = newSpan(header, &c, x.Asked, x.Answered)
	if !e.span.until().After(x.Answered) {
		return nil
	}
	return e
}

// Value is the decoded body. It is shared and must not be changed.
func (e *Entry) Value() any { return e.value }

// Public says whether the answer is for every caller: the service said so, and nothing that tells who asks is in its
// Vary field.
func (e *Entry) Public() bool {
	return e.control.public && !e.control.private && !e.selection.personal()
}

// Conditions makes the request with the header h one that the service may answer with 304: by If-None-Match, or by
// If-Modified-Since when the answer has only a date. It changes nothing when the answer has neither.
func (e *Entry) Conditions(h http.Header) {
	if tag := e.header.Get("ETag"); tag != "" {
		h.Set("If-None-Match", tag)
	} else if date, ok := modified(e.header); ok {
		h.Set("If-Modified-Since", date)
	}
}

// modified is when the answer says that it was changed, if that is a date.
func modified(header http.Header) (string, bool) {
	date := header.Get("Last-Modified")
	_, ok := parseDate(date)
	return date, ok
}

// opaque is a tag as the weak comparison of RFC 9110, section 8.8.3.2, sees it.
func opaque(tag string) string { return strings.TrimPrefix(tag, "W/") }

// bytes is about how much memory the entry takes. A value of structs and slices takes one to two times the bytes of its
// JSON, and three leave room for what the allocator rounds up; one of maps can take eight times.
func (e *Entry) bytes() int64 {
	const fixed, perField, factor = 1 << 10, 64, 3
	n := fixed + factor*min(int64(e.size), 1<<40)
	for _, lines := range e.header {
		for _, line := range lines {
			n += perField + int64(len(line))
		}
	}
	for _, name := range e.selection.names {
		n += perField + int64(len(name))
	}
	return n
}
