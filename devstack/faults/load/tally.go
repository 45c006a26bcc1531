package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ByHeader is the header in which a balancer names the replica that answered.
const ByHeader = "X-Answered-By"

// Whole is the kind of an answer that has nothing wrong with it: 200, read to its end, and no section is missing.
const Whole = "200"

// Answer is what became of a request.
type Answer struct {
	// Kind is the status with the code of a problem, "partial" with the sections that are missing and why, or how there
	// was no answer. A 429 or 503 that does not say when to come back says so.
	Kind string
	// By is the replica that answered, to the end; "" when nobody says so.
	By string
	// At is when it was sent, since the load began, and Took how long it took.
	At, Took time.Duration
}

// Tally counts answers. The zero value holds none.
type Tally struct {
	Kinds map[string]int
	// By counts the whole answers of each replica.
	By map[string]int
	// First are the first answers that were not whole, a few of each kind.
	First []Answer
	// Lost counts the requests that no replica answered, whatever the answer.
	Lost int
	// Lag is how late the latest request was sent: a sign that this machine was busy with something else.
	Lag time.Duration

	answers []Answer // in the order in which they came
}

// examples is how many answers of a kind are remembered.
const examples = 3

func newTally() Tally { return Tally{Kinds: map[string]int{}, By: map[string]int{}} }

// plus is the tally with one answer more. It takes over the maps.
func (t Tally) plus(a Answer) Tally {
	t.Kinds[a.Kind]++
	t.answers = append(t.answers, a)
	if a.By == "" {
		t.Lost++
	}
	switch {
	case a.Kind == Whole:
		t.By[a.By]++
	case t.Kinds[a.Kind] <= examples:
		t.First = append(t.First, a)
	}
	return t
}

func (t Tally) clone() Tally {
	t.Kinds, t.By, t.First = maps.Clone(t.Kinds), maps.Clone(t.By), slices.Clone(t.First)
	t.answers = slices.Clip(t.answers) // what is appended to either of the two leaves the other alone
	return t
}

// Between is the tally of those requests that were sent from one time on and before another, since the load began.
func (t Tally) Between(from, to time.Duration) Tally {
	part := newTally()
	part.Lag = t.Lag
	for _, a := range t.answers {
		if from <= a.At && a.At < to {
			part = part.plus(a)
		}
	}
	return part
}

// Only is the tally of the requests whose kind is wanted.
func (t Tally) Only(wanted func(kind string) bool) Tally {
	part := newTally()
	part.Lag = t.Lag
	for _, a := range t.answers {
		if wanted(a.Kind) {
			part = part.plus(a)
		}
	}
	return part
}

// Total is how many requests were counted.
func (t Tally) Total() int {
	total := 0
	for _, count := range t.Kinds {
		total += count
	}
	return total
}

// Failed is how many of them did not get a whole answer.
func (t Tally) Failed() int { return t.Total() - t.Kinds[Whole] }

// Failures lists the failures by kind, the most frequent first, such as "502 × 37, refused × 2"; "" when there are none.
func (t Tally) Failures() string {
	kinds := slices.DeleteFunc(slices.Collect(maps.Keys(t.Kinds)), func(kind string) bool { return kind == Whole })
	slices.SortFunc(kinds, func(a, b string) int {
		if t.Kinds[a] != t.Kinds[b] {
			return t.Kinds[b] - t.Kinds[a]
		}
		return strings.Compare(a, b)
	})
	list := make([]string, len(kinds))
	for i, kind := range kinds {
		list[i] = fmt.Sprintf("%s × %d", kind, t.Kinds[kind])
	}
	return strings.Join(list, ", ")
}

// String is how many failed, of how many, and how.
func (t Tally) String() string {
	text := fmt.Sprintf("%d of %d", t.Failed(), t.Total())
	if failures := t.Failures(); failures != "" {
		text += " (" + failures + ")"
	}
	return text
}

// Quantile is how long the share q of all answers took at most; 0 when there were none.
func (t Tally) Quantile(q float64) time.Duration {
	if len(t.answers) == 0 {
		return 0
	}
	took := make([]time.Duration, len(t.answers))
	for i, a := range t.answers {
		took[i] = a.Took
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// kindOf is the kind of an answer that was read to its end.
func kindOf(resp *http.Response, body []byte) string {
	kind := strconv.Itoa(resp.StatusCode)
	if missing := resp.Header.Get("Bff-Partial"); kind == Whole && missing != "" {
		return "partial " + missing
	}
	var problem struct {
		Code string `json:"code"`
	}
	if resp.Header.Get("Content-Type") == "application/problem+json" && json.Unmarshal(body, &problem) == nil {
		kind += " " + problem.Code
	}
	later := resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests
	if later && resp.Header.Get("Retry-After") == "" {
		kind += " without Retry-After"
	}
	return kind
}

// KindOf puts an error of a request into a word or two.
func KindOf(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut"
	case errors.Is(err, io.EOF):
		return "closed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "late"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	default:
		return err.Error()
	}
}
