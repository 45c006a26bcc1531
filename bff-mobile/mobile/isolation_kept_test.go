package mobile_test

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// happened reports whether the service has failed so during the visit, or for "", in any way. Of an open circuit, and of
// time that runs out, others may be the cause.
func (v *verdict) happened(section int, reason string) bool {
	switch reason {
	case "breaker_open":
		return true
	case "timeout":
		return v.end-v.begin >= 300*time.Millisecond-soon
	default:
		return slices.ContainsFunc(v.failed[subject{v.user, section}], func(f failure) bool {
			return f.at >= v.begin && f.at <= v.end && (reason == "" || f.reason == reason)
		})
	}
}

// troubled reports whether the service may have been unable to answer during the visit: it failed, or took too long, or its
// circuit was open because it had failed before, whoever had asked.
func (v *verdict) troubled(section int) bool {
	for user := range v.users {
		if slices.ContainsFunc(v.failed[subject{user, section}], func(f failure) bool { return f.at <= v.end }) {
			return true
		}
	}
	return v.happened(section, "timeout")
}

// source is an answer of a service that a section may come from, and for how long it was good then.
type source struct {
	telling

	left time.Duration
}

type tellings []source

// sources are the answers of the service to this user that a section may come from: one that came during the visit,
// or one that was kept and still of use.
func (v *verdict) sources(section, version int, stale bool, age int) tellings {
	var found tellings
	onError := func(t telling) time.Duration {
		if !v.troubled(section) {
			return 0
		}
		return t.onError
	}
	for _, t := range v.told[subject{v.user, section}] {
		if t.version != version || t.answered > v.end {
			continue
		}
		old := v.begin - t.asked
		switch {
		case stale:
			// Whoever had to ask again counts from when he asked first.
			of := age >= int(old.Seconds()) && age <= int((v.end-t.asked+deadline).Seconds())
			if t.answered <= v.begin && old+deadline >= t.fresh && old < t.fresh+max(t.whileRevalidating, onError(t)) && of {
				found = append(found, source{t, 0})
			}
		case t.answered >= v.begin:
			found = append(found, source{t, t.fresh - (t.answered - t.asked)})
		case old < t.fresh:
			found = append(found, source{t, t.fresh - old})
		}
	}
	return found
}

// control wants the answer to be promised for no longer than each of its sections.
func (v *verdict) control(line string, forms []tellings, partial bool) {
	anyone := func(is func(source) bool) bool {
		return slices.ContainsFunc(forms, func(s tellings) bool { return slices.ContainsFunc(s, is) })
	}
	seconds, lasts := strings.CutPrefix(line, "private, max-age=")
	switch {
	case partial:
		v.expectf(line == "no-store", "Cache-Control of a part: %s", line)
	case lasts:
		age, err := strconv.Atoi(seconds)
		v.expectf(err == nil && age >= 0, "Cache-Control: %s", line)
		for i, sources := range forms {
			good := slices.ContainsFunc(sources, func(s source) bool {
				return s.explicit && !s.forbidden && (age == 0 || time.Duration(age)*time.Second <= s.left)
			})
			v.expectf(good, "Cache-Control: %s, which %s does not allow", line, sections[i])
		}
	case line == "no-store":
		v.expectf(anyone(func(s source) bool { return s.forbidden }), "no-store for no reason")
	default:
		never := anyone(func(s source) bool { return !s.explicit || s.fresh == 0 })
		v.expectf(line == "private, no-cache" && never, "Cache-Control: %s", line)
	}
}
