package cache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/cache"
)

// facts are what can be seen of an entry.
type facts struct {
	Value          any
	Age, Remaining time.Duration
	Public         bool
	Conditions     http.Header
}

func factsOf(e *cache.Entry, now time.Time) *facts {
	if e == nil {
		return nil
	}
	f := &facts{Value: e.Value(), Age: e.Age(now), Remaining: e.Remaining(now), Public: e.Public(), Conditions: http.Header{}}
	e.Conditions(f.Conditions)
	return f
}

func TestRenewed(t *testing.T) {
	t.Parallel()
	one := header(`If-None-Match: "1"`)
	for _, row := range []struct {
		name     string
		old, new []string
		want     *facts
	}{
		{name: "a bare 304 starts the old lifetime anew", old: []string{tag, "Cache-Control: max-age=10"}, want: &facts{Remaining: 10 * second, Conditions: one}},
		{name: "the new lifetime counts", old: []string{tag, "Cache-Control: max-age=10, public"}, new: []string{"Cache-Control: max-age=20"}, want: &facts{Remaining: 20 * second, Conditions: one}},
		{name: "public is what the new header says", old: []string{tag}, new: []string{"Cache-Control: public"}, want: &facts{Public: true, Conditions: one}},
		{name: "an old Age is over", old: []string{tag, "Cache-Control: max-age=10", "Age: 9"}, want: &facts{Remaining: 10 * second, Conditions: one}},
		{name: "a new Age counts", old: []string{tag, "Cache-Control: max-age=10"}, new: []string{"Age: 4"}, want: &facts{Age: 4 * second, Remaining: 6 * second, Conditions: one}},
		{name: "an old Date is over", old: []string{tag, "Cache-Control: max-age=90", "Date: " + dateNoon}, want: &facts{Remaining: 90 * second, Conditions: one}},
		{name: "a new Date counts", old: []string{tag, "Cache-Control: max-age=90", "Date: " + dateBefore}, new: []string{"Date: " + dateNoon}, want: &facts{Age: 60 * second, Remaining: 30 * second, Conditions: one}},
		{name: "an old Expires stays when it is", old: []string{tag, "Expires: Wed, 04 Mar 2026 12:01:10 GMT"}, want: &facts{Remaining: 10 * second, Conditions: one}},
		{name: "a new date of change is asked for", old: []string{"Last-Modified: " + dateBefore}, new: []string{"Last-Modified: " + dateNoon}, want: &facts{Conditions: header("If-Modified-Since: " + dateNoon)}},
		{name: "a weak tag is the same one", old: []string{tag}, new: []string{`ETag: W/"1"`}, want: &facts{Conditions: header(`If-None-Match: W/"1"`)}},
		{name: "another tag is about another answer", old: []string{tag, "Cache-Control: max-age=10"}, new: []string{`ETag: "2"`}},
		{name: "a tag where none was asked for is about another answer", old: []string{"Last-Modified: " + dateBefore}, new: []string{tag}},
		{name: "no-store forbids", old: []string{tag}, new: []string{"Cache-Control: no-store"}},
		{name: "Vary * forbids", old: []string{tag}, new: []string{"Vary: *"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			later := noon.Add(time.Minute)
			x := answered(later, row.new...)
			x.Value, x.Size = "not this one", 0
			if row.want != nil {
				row.want.Value = "value"
			}
			if diff := cmp.Diff(row.want, factsOf(entry(t, row.old...).Renewed(x), later)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRenewedLeavesTheOldEntryAsItIs(t *testing.T) {
	t.Parallel()
	e := entry(t, "Last-Modified: "+dateBefore, "Cache-Control: max-age=10", "Age: 3")
	before := factsOf(e, noon)
	e.Renewed(answered(noon, "Cache-Control: no-store"))
	e.Renewed(answered(noon, "Cache-Control: public, max-age=99", "Last-Modified: "+dateNoon))
	if diff := cmp.Diff(before, factsOf(e, noon)); diff != "" {
		t.Error(diff)
	}
}

func TestRenewedIsAsLargeAsTheOldEntry(t *testing.T) {
	t.Parallel()
	s := cache.New(large)
	x := answered(time.Now(), tag)
	x.Size = 10_000
	e := cache.NewEntry(x)
	s.Put(keyOf("ada"), e)
	before := s.Bytes()
	x.Size = 0
	s.Put(keyOf("ada"), e.Renewed(x))
	if got := s.Bytes(); got != before {
		t.Errorf("%d bytes, and before it was renewed %d", got, before)
	}
}

func TestRenewedHasTheMarkAndTheRequestOfItsExchange(t *testing.T) {
	t.Parallel()
	s := cache.New(large)
	key := keyOf("ada")
	x := answered(time.Now(), tag, "Cache-Control: max-age=60", "Vary: Accept-Language")
	x.Request, x.Mark = header("Accept-Language: de"), s.Now()
	old := cache.NewEntry(x)
	s.Changed("ada", "orders")
	x.Request, x.Mark = header("Accept-Language: fr"), s.Now()
	s.Put(key, old.Renewed(x))
	if s.Get(key, header("Accept-Language: de")) != nil {
		t.Error("it is still for the old request")
	}
	if s.Get(key, header("Accept-Language: fr")) == nil {
		t.Error("it is not for the new request")
	}
}
