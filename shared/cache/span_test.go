package cache_test

import (
	"testing"
	"time"
)

// The dates of these tests: noon, and around it.
const (
	dateNoon   = "Wed, 04 Mar 2026 12:00:00 GMT"
	dateBefore = "Wed, 04 Mar 2026 11:59:50 GMT"
	dateAfter  = "Wed, 04 Mar 2026 12:00:30 GMT"
	dateLater  = "Wed, 04 Mar 2026 12:01:00 GMT"
)

// tag makes an answer worth keeping whatever its lifetime is.
const tag = `ETag: "1"`

func TestRemaining(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		lines    []string
		want     time.Duration
		explicit bool
	}{
		{name: "max-age is the lifetime", lines: []string{"Cache-Control: max-age=60"}, want: 60 * second, explicit: true},
		{name: "nothing said is no lifetime", lines: []string{tag}},
		{name: "a date of change is no lifetime", lines: []string{"Last-Modified: " + dateBefore, "Date: " + dateNoon}},
		{name: "max-age=0 is said", lines: []string{tag, "Cache-Control: max-age=0"}, explicit: true},
		{name: "Expires counts from Date", lines: []string{"Date: " + dateNoon, "Expires: " + dateLater}, want: 60 * second, explicit: true},
		{name: "Expires without Date counts from the answer", lines: []string{"Expires: " + dateAfter}, want: 30 * second, explicit: true},
		{name: "Expires with a broken Date counts from the answer", lines: []string{"Date: today", "Expires: " + dateAfter}, want: 30 * second, explicit: true},
		{name: "Expires in the past is none", lines: []string{tag, "Date: " + dateNoon, "Expires: " + dateBefore}, explicit: true},
		{name: "Expires 0 is none", lines: []string{tag, "Expires: 0"}, explicit: true},
		{name: "Expires that is no date is none", lines: []string{tag, "Expires: tomorrow"}, explicit: true},
		{name: "of two Expires the first in time counts", lines: []string{"Expires: " + dateLater, "Expires: " + dateAfter}, want: 30 * second, explicit: true},
		{name: "wherever it is", lines: []string{"Expires: " + dateAfter, "Expires: " + dateLater}, want: 30 * second, explicit: true},
		{name: "of two Expires a broken one counts", lines: []string{tag, "Expires: " + dateLater, "Expires: 0"}, explicit: true},
		{name: "max-age wins over Expires", lines: []string{"Cache-Control: max-age=10", "Expires: " + dateLater}, want: 10 * second, explicit: true},
		{name: "max-age wins over Expires 0", lines: []string{"Cache-Control: max-age=10", "Expires: 0"}, want: 10 * second, explicit: true},
		{name: "s-maxage is for others", lines: []string{"Cache-Control: max-age=10, s-maxage=600"}, want: 10 * second, explicit: true},
		{name: "immutable says nothing", lines: []string{tag, "Cache-Control: immutable"}},
		{name: "no-cache is never fresh", lines: []string{tag, "Cache-Control: max-age=60, no-cache"}, explicit: true},
		{name: "no-cache for a field is never fresh", lines: []string{tag, `Cache-Control: max-age=60, no-cache="x"`}, explicit: true},
		{name: "must-revalidate is fresh for its lifetime", lines: []string{"Cache-Control: max-age=60, must-revalidate"}, want: 60 * second, explicit: true},
		{name: "Age is taken off", lines: []string{"Cache-Control: max-age=60", "Age: 20"}, want: 40 * second, explicit: true},
		{name: "more Age than lifetime is less than nothing", lines: []string{tag, "Cache-Control: max-age=60", "Age: 80"}, want: -20 * second, explicit: true},
		{name: "a lifetime without end has one", lines: []string{"Cache-Control: max-age=99999999999999999999999"}, want: (1 << 31) * second, explicit: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := entry(t, row.lines...)
			if got := e.Remaining(noon); got != row.want {
				t.Errorf("remains %v, want %v", got, row.want)
			}
			if got := e.Explicit(); got != row.explicit {
				t.Errorf("explicit: %v", got)
			}
			if row.want > 0 && !e.Fresh(noon.Add(row.want-1)) {
				t.Error("is not fresh just before its end")
			}
			if e.Fresh(noon.Add(max(row.want, 0))) {
				t.Error("is fresh at its end")
			}
		})
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		took  time.Duration
		after time.Duration
		want  time.Duration
	}{
		{name: "a new answer has none", lines: []string{"Date: " + dateNoon}},
		{name: "it grows in the store", lines: []string{"Date: " + dateNoon}, after: 5 * second, want: 5 * second},
		{name: "a clock that went back takes nothing off", after: -5 * second},
		{name: "the time of the exchange counts, as it may have been made at its start", took: 2 * second, after: 5 * second, want: 7 * second},
		{name: "a clock that went back during the exchange takes nothing off", took: -2 * second, after: 5 * second, want: 5 * second},
		{name: "such a clock takes nothing off Age", lines: []string{"Age: 30"}, took: -2 * second, want: 30 * second},
		{name: "Age counts with the time of the exchange", lines: []string{"Age: 30"}, took: 2 * second, want: 32 * second},
		{name: "Date counts when it is longer ago than Age", lines: []string{"Age: 3", "Date: " + dateBefore}, took: 2 * second, want: 10 * second},
		{name: "Age counts when it is more than Date says", lines: []string{"Age: 30", "Date: " + dateBefore}, want: 30 * second},
		{name: "a Date to come takes nothing off", lines: []string{"Date: " + dateAfter}, after: second, want: second},
		{name: "a broken Date is none", lines: []string{"Date: yesterday"}},
		{name: "a negative Age is none", lines: []string{"Age: -30"}},
		{name: "a broken Age is none", lines: []string{"Age: old"}},
		{name: "of several Age lines the first counts", lines: []string{"Age: 30", "Age: 10"}, want: 30 * second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := newEntryThatTook(row.took, append(row.lines, tag)...)
			if got := e.Age(noon.Add(row.after)); got != row.want {
				t.Errorf("is %v old, want %v", got, row.want)
			}
		})
	}
}

func TestAnAgeWithoutEndIsNotFresh(t *testing.T) {
	t.Parallel()
	e := entry(t, "Cache-Control: max-age=99999999999, stale-if-error=99999999999", "Age: 99999999999999999999", "Date: Mon, 01 Jan 0001 00:00:00 GMT", tag)
	for _, years := range []int{0, 1, 100, 1000, 9000} {
		now := noon.AddDate(years, 0, 0)
		if e.Fresh(now) || e.Age(now) < (1<<31)*second {
			t.Errorf("after %d years: %v old, fresh: %v", years, e.Age(now), e.Fresh(now))
		}
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		// These are up to which age the answer may be used.
		revalidating, onError time.Duration
	}{
		{name: "nothing said is nothing allowed", lines: []string{"Cache-Control: max-age=60"}, revalidating: 60 * second, onError: 60 * second},
		{name: "allowances count from the end of the lifetime", lines: []string{"Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error=300"}, revalidating: 90 * second, onError: 360 * second},
		{name: "one allowance is not the other", lines: []string{"Cache-Control: max-age=60, stale-while-revalidate=30"}, revalidating: 90 * second, onError: 60 * second},
		{name: "max-age=0 with stale-if-error is good for errors only", lines: []string{"Cache-Control: max-age=0, stale-if-error=60"}, onError: 60 * second},
		{name: "an allowance needs no lifetime", lines: []string{"Cache-Control: stale-while-revalidate=5"}, revalidating: 5 * second},
		{name: "they count from the end that Expires gives", lines: []string{"Expires: " + dateAfter, "Cache-Control: stale-if-error=60"}, revalidating: 30 * second, onError: 90 * second},
		{name: "must-revalidate forbids both", lines: []string{"Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=30, stale-if-error=300"}, revalidating: 60 * second, onError: 60 * second},
		{name: "no-cache forbids both", lines: []string{tag, "Cache-Control: max-age=60, no-cache, stale-while-revalidate=30, stale-if-error=300"}},
		{name: "proxy-revalidate is for others", lines: []string{"Cache-Control: max-age=60, proxy-revalidate, stale-if-error=300"}, revalidating: 60 * second, onError: 360 * second},
		{name: "allowances without a number are none", lines: []string{"Cache-Control: max-age=60, stale-while-revalidate, stale-if-error=ever"}, revalidating: 60 * second, onError: 60 * second},
		{name: "Age is taken off", lines: []string{"Cache-Control: max-age=60, stale-if-error=300", "Age: 100"}, revalidating: 0, onError: 260 * second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := entry(t, row.lines...)
			for allowance, end := range map[string]struct {
				at       time.Duration
				servable func(time.Time) bool
			}{
				"while revalidating": {at: row.revalidating, servable: e.ServableWhileRevalidating},
				"on error":           {at: row.onError, servable: e.ServableOnError},
			} {
				if end.at > 0 && !end.servable(noon.Add(end.at-1)) {
					t.Errorf("%s: not servable just before %v", allowance, end.at)
				}
				if end.servable(noon.Add(end.at)) {
					t.Errorf("%s: servable at %v", allowance, end.at)
				}
			}
		})
	}
}
