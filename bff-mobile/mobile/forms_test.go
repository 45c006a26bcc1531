package mobile_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"bff.internal/shared/problem"
)

// deadline is that of the dashboard.
const deadline = 800 * time.Millisecond

// whole200 is the name of the form in which nothing is missing.
const whole200 = "200"

// form is an answer in one of the forms that are stated: a name for it, or what is wrong with it.
type form struct {
	name  string
	wrong []string
	// reasons are why sections are missing, by the index of their service.
	reasons map[int]string
}

func (f *form) expectf(holds bool, format string, args ...any) {
	if !holds {
		f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
	}
}

// formOf judges an answer by what it says. The whole one is what the caller gets when all is well.
func formOf(a asked, wholeAnswer []byte) form {
	f := form{reasons: map[int]string{}}
	header, body := a.answer.Header(), a.answer.Body.Bytes()
	f.expectf(a.panic == nil, "panic: %v", a.panic)
	f.expectf(a.took <= deadline, "took %v", a.took)
	if a.aborted {
		f.name = "client gone"
		f.expectf(a.left && a.patience > 0, "the caller had not left")
		f.expectf(len(body) == 0, "answered somebody who had left")
		f.expectf(a.took <= a.patience+soon, "went on for %v after the caller had left", a.took-a.patience)
		return f
	}
	f.expectf(header.Get("X-Request-Id") == a.id, "X-Request-Id = %q", header.Get("X-Request-Id"))
	f.expectf(header.Get("Content-Length") == strconv.Itoa(len(body)), "Content-Length = %q of %d", header.Get("Content-Length"), len(body))
	f.expectf(header.Get("Server-Timing") != "", "no Server-Timing")
	switch {
	case a.answer.Code != http.StatusOK:
		f.problem(a.answer.Code, header, body, a.took)
	case header.Get("Bff-Partial") != "":
		f.partial(header, body, wholeAnswer)
	default:
		f.name = whole200
		f.expectf(header.Get("Cache-Control") == "private, no-cache", "Cache-Control = %q", header.Get("Cache-Control"))
		f.expectf(string(body) == string(wholeAnswer), "not the caller's whole answer")
	}
	if a.answer.Code == http.StatusOK {
		f.expectf(header.Get("Content-Type") == "application/json", "Content-Type = %q", header.Get("Content-Type"))
	}
	return f
}

// soon is what ending an exchange may take beyond the moment in which nobody waits for it any more.
const soon = 20 * time.Millisecond

// sections are those of the dashboard, in the order of its services.
var sections = []string{"user", "activeOrders", "metrics"}

func (f *form) partial(header http.Header, body, wholeAnswer []byte) {
	f.name = "200 partial"
	f.expectf(header.Get("Cache-Control") == "no-store", "Cache-Control = %q", header.Get("Cache-Control"))
	for missing := range strings.SplitSeq(header.Get("Bff-Partial"), ", ") {
		name, reason, _ := strings.Cut(missing, ";reason=")
		service := slices.Index(sections, name)
		f.expectf(service > 0, "Bff-Partial = %q", header.Get("Bff-Partial"))
		f.expectf(slices.Contains([]string{"timeout", "refused", "denied", "bad_answer", "breaker_open", "shed"}, reason), "reason %q", reason)
		f.reasons[service] = reason
		f.name += " " + reason
	}
	var got, want map[string]json.RawMessage
	var meta struct {
		Sections map[string]struct{ Status, Reason string } `json:"sections"`
	}
	if json.Unmarshal(body, &got) != nil || json.Unmarshal(wholeAnswer, &want) != nil || json.Unmarshal(got["_meta"], &meta) != nil {
		f.expectf(false, "no JSON object with the member _meta")
		return
	}
	f.expectf(len(got) == len(sections)+1 && len(meta.Sections) == len(f.reasons), "%d members, %d sections in _meta, %d in Bff-Partial", len(got), len(meta.Sections), len(f.reasons))
	for i, name := range sections {
		if reason, missing := f.reasons[i]; missing {
			f.expectf(string(got[name]) == "null", "the section %s is missing and there", name)
			f.expectf(meta.Sections[name].Status == "unavailable" && meta.Sections[name].Reason == reason, "_meta of %s = %v", name, meta.Sections[name])
		} else {
			f.expectf(string(got[name]) == string(want[name]), "the section %s is not the caller's", name)
		}
	}
}

// problems are the codes of problems by status.
var problems = map[int][]string{
	401: {"invalid_token"}, 403: {"forbidden"}, 404: {"not_found"},
	502: {"bad_answer", "unreachable"}, 503: {"unavailable"}, 504: {"timeout"},
}

func (f *form) problem(status int, header http.Header, body []byte, took time.Duration) {
	var p problem.Problem
	f.expectf(json.Unmarshal(body, &p) == nil, "no JSON")
	f.name = strconv.Itoa(status) + " " + p.Code
	f.expectf(slices.Contains(problems[status], p.Code), "no stated code of this status")
	f.expectf(header.Get("Content-Type") == problem.ContentType, "Content-Type = %q", header.Get("Content-Type"))
	f.expectf(header.Get("Cache-Control") == "no-store", "Cache-Control = %q", header.Get("Cache-Control"))
	f.expectf(header.Get("Bff-Partial") == "", "Bff-Partial on a problem")
	f.expectf(p.Status == status && p.Title == http.StatusText(status) && p.TraceID != "", "status, title or traceId: %s", body)
	f.expectf(!strings.Contains(string(body), ".test") && !strings.Contains(string(body), "users"), "the caller learns what is inside: %s", body)
	retryAfter := header.Get("Retry-After")
	f.expectf((status == http.StatusServiceUnavailable) == (retryAfter != ""), "Retry-After = %q", retryAfter)
	f.expectf((status == http.StatusUnauthorized) == (header.Get("WWW-Authenticate") != ""), "WWW-Authenticate = %q", header.Get("WWW-Authenticate"))
	f.expectf(status != http.StatusGatewayTimeout || took == deadline, "timed out after %v", took)
	f.reasons[0] = map[string]string{
		"invalid_token": "denied", "forbidden": "denied", "not_found": "denied",
		"bad_answer": "bad_answer", "unreachable": "refused", "timeout": "timeout",
		"unavailable": map[string]string{"5": "breaker_open", "1": "shed"}[retryAfter],
	}[p.Code]
	f.expectf(f.reasons[0] != "", "Retry-After = %q", retryAfter)
}
