package cache

import (
	"strings"
	"testing"
	"time"
)

// silent is what no directive says.
var silent = control{maxAge: unsaid, staleWhileRevalidate: unsaid, staleIfError: unsaid}

// saying is silent but for what set changes.
func saying(set func(*control)) control {
	c := silent
	set(&c)
	return c
}

func aged(seconds int64) control {
	return saying(func(c *control) { c.maxAge = time.Duration(seconds) * time.Second })
}

func TestParseControl(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		want  control
	}{
		{name: "nothing says nothing", want: silent},
		{name: "empty lines and elements say nothing", lines: []string{"", " ", ",", " ,\t, ,"}, want: silent},
		{name: "what is unknown says nothing", lines: []string{"immutable, s-maxage=5, proxy-revalidate, no-transform, max-agen=5, x-max-age=5"}, want: silent},
		{name: "flags", lines: []string{"no-store, no-cache, must-revalidate, public, private"}, want: saying(func(c *control) {
			c.noStore, c.noCache, c.mustRevalidate, c.public, c.private = true, true, true, true, true
		})},
		{name: "lengths", lines: []string{"max-age=1, stale-while-revalidate=2, stale-if-error=3"}, want: saying(func(c *control) {
			c.maxAge, c.staleWhileRevalidate, c.staleIfError = time.Second, 2*time.Second, 3*time.Second
		})},
		{name: "case does not matter", lines: []string{"No-Store, MAX-AGE=7"}, want: saying(func(c *control) {
			c.noStore, c.maxAge = true, 7*time.Second
		})},
		{name: "spaces do not matter", lines: []string{"\t no-store ,max-age\t= 7\t,"}, want: saying(func(c *control) {
			c.noStore, c.maxAge = true, 7*time.Second
		})},
		{name: "several lines are one list", lines: []string{"public", "max-age=7"}, want: saying(func(c *control) {
			c.public, c.maxAge = true, 7*time.Second
		})},
		{name: "a quoted number is a number", lines: []string{`max-age="60"`}, want: aged(60)},
		{name: "a quoted number with a backslash is a number", lines: []string{`max-age="6\0"`}, want: aged(60)},
		{name: "quotes hide commas", lines: []string{`x="no-store, max-age=1", max-age=60`}, want: aged(60)},
		{name: "quotes hide quotes", lines: []string{`x="a\", no-store, \"b", max-age=60`}, want: aged(60)},
		{name: "what follows a quoted value does not add to it", lines: []string{`max-age="60"5, public`}, want: saying(func(c *control) {
			c.public, c.maxAge = true, time.Minute
		})},
		{name: "a directive without a comma in front counts", lines: []string{`x="60"no-store`}, want: saying(func(c *control) {
			c.noStore = true
		})},
		{name: "quotes that never end hide nothing", lines: []string{`private="x, no-store`, `x="\`}, want: saying(func(c *control) {
			c.private, c.noStore = true, true
		})},
		{name: "flags with fields count like those without", lines: []string{`no-cache="set-cookie, x", private=x`}, want: saying(func(c *control) {
			c.noCache, c.private = true, true
		})},
		{name: "of two lengths the shorter one counts", lines: []string{"max-age=60, max-age=30", "max-age=90"}, want: aged(30)},
		{name: "a broken length is shorter than any", lines: []string{"max-age=60", "max-age=x"}, want: aged(0)},
		{name: "no number is 0", lines: []string{"max-age"}, want: aged(0)},
		{name: "an empty number is 0", lines: []string{"max-age="}, want: aged(0)},
		{name: "an empty quoted number is 0", lines: []string{`max-age=""`}, want: aged(0)},
		{name: "a negative number is 0", lines: []string{"max-age=-60"}, want: aged(0)},
		{name: "a fraction is 0", lines: []string{"max-age=1.5"}, want: aged(0)},
		{name: "a number of another script is 0", lines: []string{"max-age=６０"}, want: aged(0)},
		{name: "the longest length", lines: []string{"max-age=2147483648"}, want: aged(1 << 31)},
		{name: "more than the longest is the longest", lines: []string{"max-age=2147483649"}, want: aged(1 << 31)},
		{name: "an overflow is the longest", lines: []string{"max-age=" + strings.Repeat("9", 400)}, want: aged(1 << 31)},
		{name: "an overflow of 64 bits is the longest", lines: []string{"max-age=18446744073709551617"}, want: aged(1 << 31)},
		{name: "leading zeros are nothing", lines: []string{"max-age=" + strings.Repeat("0", 40) + "5"}, want: aged(5)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := parseControl(row.lines); got != row.want {
				t.Errorf("%q says %+v, want %+v", row.lines, got, row.want)
			}
		})
	}
}

// FuzzControl looks for a line that makes another one less strict, or that hides a line after it.
func FuzzControl(f *testing.F) {
	f.Add("no-store", "max-age=60")
	f.Add(`x="a, b", max-age=60`, "max-age=30, stale-if-error=99999999999999999999")
	f.Add(`private="x, no-store`, `no-cache="\`)
	f.Fuzz(func(t *testing.T, first, second string) {
		one, two, both := parseControl([]string{first}), parseControl([]string{second}), parseControl([]string{first, second})
		want := control{
			noStore:              one.noStore || two.noStore,
			noCache:              one.noCache || two.noCache,
			mustRevalidate:       one.mustRevalidate || two.mustRevalidate,
			public:               one.public || two.public,
			private:              one.private || two.private,
			maxAge:               shorter(one.maxAge, two.maxAge),
			staleWhileRevalidate: shorter(one.staleWhileRevalidate, two.staleWhileRevalidate),
			staleIfError:         shorter(one.staleIfError, two.staleIfError),
		}
		if both != want {
			t.Errorf("%q and %q say %+v, want %+v", first, second, both, want)
		}
		for _, length := range []time.Duration{both.maxAge, both.staleWhileRevalidate, both.staleIfError} {
			if length != unsaid && (length < 0 || length > longest || length%time.Second != 0) {
				t.Errorf("%q and %q say %v", first, second, length)
			}
		}
		// A directive in front changes nothing of what comes after it, and cannot be quoted away.
		if got := parseControl([]string{"no-store," + first}); !got.noStore || got.maxAge != one.maxAge {
			t.Errorf("%q says %+v after no-store, and %+v alone", first, got, one)
		}
		if hidden := parseControl([]string{`x="` + quote(first) + `"`}); hidden != silent {
			t.Errorf("%q says %+v within quotes", first, hidden)
		}
	})
}

func shorter(a, b time.Duration) time.Duration {
	if a == unsaid || b == unsaid {
		return max(a, b)
	}
	return min(a, b)
}

func quote(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }
