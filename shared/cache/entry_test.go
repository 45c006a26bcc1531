package cache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/cache"
)

// newEntryThatTook is an entry whose answer came at noon, after that time.
func newEntryThatTook(took time.Duration, lines ...string) *cache.Entry {
	x := answered(noon, lines...)
	x.Asked = noon.Add(-took)
	return cache.NewEntry(x)
}

func TestNewEntry(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		request []string
		lines   []string
		kept    bool
	}{
		{name: "a lifetime is worth keeping", lines: []string{"Cache-Control: max-age=1"}, kept: true},
		{name: "a tag is worth keeping", lines: []string{`ETag: W/"x"`}, kept: true},
		{name: "a date of change is worth keeping", lines: []string{"Last-Modified: " + dateBefore}, kept: true},
		{name: "an allowance for errors is worth keeping", lines: []string{"Cache-Control: max-age=0, stale-if-error=60"}, kept: true},
		{name: "an allowance while revalidating is worth keeping", lines: []string{"Cache-Control: stale-while-revalidate=60"}, kept: true},
		{name: "no-cache with a tag is worth keeping", lines: []string{tag, "Cache-Control: no-cache"}, kept: true},
		{name: "private is worth keeping", lines: []string{"Cache-Control: private, max-age=1"}, kept: true},
		{name: "an answer that says nothing is not kept"},
		{name: "an answer that is never fresh is not kept", lines: []string{"Cache-Control: max-age=0"}},
		{name: "no-cache without a tag is not kept", lines: []string{"Cache-Control: max-age=60, no-cache, stale-if-error=60"}},
		{name: "a broken date of change is no use", lines: []string{"Last-Modified: yesterday"}},
		{name: "an answer that came stale is not kept", lines: []string{"Cache-Control: max-age=60", "Age: 60"}},
		{name: "an answer that came too old for its allowance is not kept", lines: []string{"Cache-Control: max-age=60, stale-if-error=60", "Age: 120"}},
		{name: "an answer that came stale with a tag is kept", lines: []string{tag, "Cache-Control: max-age=60", "Age: 7200"}, kept: true},
		{name: "no-store forbids", lines: []string{tag, "Cache-Control: max-age=60, no-store"}},
		{name: "no-store forbids on a line of its own", lines: []string{"Cache-Control: max-age=60", "Cache-Control: No-Store"}},
		{name: "no-store in the request forbids", request: []string{"Cache-Control: no-store"}, lines: []string{"Cache-Control: max-age=60"}},
		{name: "Vary * is for no other request", lines: []string{"Cache-Control: max-age=60", "Vary: *"}},
		{name: "Vary * among others is for no other request", lines: []string{"Cache-Control: max-age=60", "Vary: Accept", "Vary: Origin , *"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			x := answered(noon, row.lines...)
			x.Request = header(row.request...)
			if got := cache.NewEntry(x) != nil; got != row.kept {
				t.Errorf("kept: %v", got)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{name: "nothing said is allowed"},
		{name: "a lifetime is allowed", lines: []string{"Cache-Control: max-age=1"}},
		{name: "no-cache is allowed", lines: []string{"Cache-Control: no-cache"}},
		{name: "no-store is not", lines: []string{"Cache-Control: public, NO-STORE"}, want: true},
		{name: "no-store within quotes is no directive", lines: []string{`Cache-Control: x="a, no-store, b"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := cache.Forbidden(header(row.lines...)); got != row.want {
				t.Errorf("forbidden: %v", got)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{name: "an answer is the caller's own"},
		{name: "unless the service says public", lines: []string{"Cache-Control: Public"}, want: true},
		{name: "s-maxage does not say so", lines: []string{"Cache-Control: s-maxage=60"}},
		{name: "private wins", lines: []string{"Cache-Control: public", "Cache-Control: private"}},
		{name: "private for a field wins", lines: []string{`Cache-Control: public, private="set-cookie"`}},
		{name: "it may vary", lines: []string{"Cache-Control: public", "Vary: Accept-Language"}, want: true},
		{name: "not by who asks", lines: []string{"Cache-Control: public", "Vary: Accept, authorization"}},
		{name: "nor by cookie", lines: []string{"Cache-Control: public", "Vary: Accept", "Vary: COOKIE"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := entry(t, append(row.lines, tag)...).Public(); got != row.want {
				t.Errorf("public: %v", got)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		want  http.Header
	}{
		{name: "a tag is asked for as it came", lines: []string{`ETag: W/"a,b"`}, want: header(`If-None-Match: W/"a,b"`)},
		{name: "a tag is better than a date", lines: []string{tag, "Last-Modified: " + dateBefore}, want: header(`If-None-Match: "1"`)},
		{name: "a date has to do", lines: []string{"Last-Modified: " + dateBefore}, want: header("If-Modified-Since: " + dateBefore)},
		{name: "a broken date is not asked for", lines: []string{"Last-Modified: never", "Cache-Control: max-age=1"}, want: header()},
		{name: "without either nothing is asked", lines: []string{"Cache-Control: max-age=1"}, want: header()},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := header()
			entry(t, row.lines...).Conditions(got)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEntryKeepsNothingThatItsExchangeOwns(t *testing.T) {
	t.Parallel()
	x := answered(noon, "Cache-Control: max-age=60", tag)
	e := cache.NewEntry(x)
	x.Response["Etag"][0] = `"2"`
	x.Response.Set("Cache-Control", "no-store")
	got := header()
	if e.Conditions(got); got.Get("If-None-Match") != `"1"` {
		t.Errorf("conditions are %v", got)
	}
	// A renewal reads the header that was kept.
	if renewed := e.Renewed(answered(noon)); renewed == nil || renewed.Remaining(noon) != 60*second {
		t.Error("the lifetime has changed")
	}
}
