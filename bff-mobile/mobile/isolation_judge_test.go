package mobile_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// judge says all that is wrong with the answer to a visit.
func (w *isolated) judge(got reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := verdict{reply: got, isolated: w}
	v.judge()
	w.eventf("%s, who asked at %v on the condition %q, is answered %s %v %q", insiders[got.user], got.begin, got.named, v.name, got.rec.Header(), got.rec.Body)
	w.count(v.name)
	for _, wrong := range v.wrong {
		w.Errorf("seed %d, at %v, %s is answered %s: %s", w.seed, got.end, insiders[got.user], v.name, wrong)
	}
}

// verdict is a judgement of an answer.
type verdict struct {
	form
	reply
	*isolated
}

func (v *verdict) judge() {
	header, body := v.rec.Header(), v.rec.Body.Bytes()
	v.noCanaryOfOthers(fmt.Sprintf("%v\n%s", header, body))
	took := v.end - v.begin
	v.expectf(took <= deadline, "took %v", took)
	if v.thrown != nil {
		v.name = "client gone"
		v.expectf(v.thrown == any(http.ErrAbortHandler) && v.left && len(body) == 0, "left: %t, panic %v", v.left, v.thrown)
		return
	}
	tag := header.Get("Etag")
	switch {
	case v.rec.Code == http.StatusNotModified:
		v.notModified(tag, len(body))
	case v.rec.Code != http.StatusOK:
		if deadline-took <= soon { // who could be helped by a stale answer is told a little earlier
			took = deadline
		}
		v.reasons = map[int]string{}
		v.problem(v.rec.Code, header, body, took)
		v.expectf(v.happened(0, v.reasons[0]), "nothing of that sort has happened to the user")
	case header.Get("Bff-Partial") != "":
		v.name = "200 partial"
		v.expectf(tag == "", "a part has the tag %s", tag)
		v.dashboard(body)
	default:
		v.name = whole200
		v.expectf(len(tag) > 4 && strings.HasPrefix(tag, `W/"`), "the tag is %q", tag)
		v.dashboard(body)
		v.give(tag, string(body))
	}
}

// noCanaryOfOthers wants nothing in a text that belongs to another user: no canary, and no tag.
func (v *verdict) noCanaryOfOthers(text string) {
	for other := range v.users {
		if other == v.user {
			continue
		}
		v.expectf(!strings.Contains(text, "canary."+insiders[other]+"."), "there is a canary of %s: %s", insiders[other], text)
		for _, tag := range v.tags[other] {
			v.expectf(!strings.Contains(text, tag), "there is the tag %s of %s", tag, insiders[other])
		}
	}
}

// give notes that the user has the answer under its tag from now on.
func (v *verdict) give(tag, body string) {
	if before, has := v.bodies[v.user][tag]; !has {
		v.tags[v.user] = append(v.tags[v.user], tag)
	} else {
		v.expectf(before == body, "the tag %s was that of another answer", tag)
	}
	v.bodies[v.user][tag] = body
	if slices.ContainsFunc(strings.Split(v.named, ", "), func(tag string) bool { return tag != "" && !slices.Contains(v.tags[v.user], tag) }) {
		v.count("the tag of another is of no use")
	}
}

// notModified wants the user to have what a 200 could have said.
func (v *verdict) notModified(tag string, length int) {
	v.name = "304"
	body, has := v.bodies[v.user][tag]
	v.expectf(has, "the tag %s was never given to this user", tag)
	v.expectf(slices.Contains(strings.Split(v.named, ", "), tag), "the user did not name the tag %s", tag)
	v.expectf(length == 0, "%d bytes", length)
	if has {
		v.dashboard([]byte(body))
	}
}

// view is a dashboard as its user reads it.
type view struct {
	User         json.RawMessage `json:"user"`
	ActiveOrders json.RawMessage `json:"activeOrders"`
	Metrics      json.RawMessage `json:"metrics"`
	Meta         struct {
		Sections map[string]struct {
			Status, Reason string
			Age            int
		} `json:"sections"`
	} `json:"_meta"` //nolint:tagliatelle // the underscore keeps it apart from the body's own members
}

// dashboard wants every section to be missing, or to be the user's own and no older than the service allows.
func (v *verdict) dashboard(body []byte) {
	var got view
	if err := json.Unmarshal(body, &got); err != nil {
		v.expectf(false, "no JSON: %v", err)
		return
	}
	header, forms := v.rec.Header(), [len(canaries)]tellings{}
	for i, content := range []json.RawMessage{got.User, got.ActiveOrders, got.Metrics} {
		meta, missing := got.Meta.Sections[sections[i]], string(content) == "null"
		said := strings.Contains(header.Get("Bff-Partial"), sections[i]+";reason="+meta.Reason) && meta.Reason != ""
		v.expectf(said == missing && (meta.Status == "unavailable") == missing, "%s is missing: %t; %v, Bff-Partial: %s", sections[i], missing, meta, header.Get("Bff-Partial"))
		from := origin(header.Get("Cache-Status"), sections[i])
		v.expectf(missing == (from == ""), "%s is missing: %t; Cache-Status: %s", sections[i], missing, header.Get("Cache-Status"))
		if missing {
			v.expectf(v.happened(i, meta.Reason), "nothing like %s has happened to %s", meta.Reason, sections[i])
			continue
		}
		v.count(strings.TrimSpace(meta.Status + " " + from))
		version := v.version(i, string(content))
		forms[i] = v.sources(i, version, meta.Status == "stale", meta.Age)
		v.expectf(len(forms[i]) > 0, "%s of version %d (%+v) is older than allowed", sections[i], version, meta)
	}
	v.control(header.Get("Cache-Control"), forms[:], header.Get("Bff-Partial") != "")
}

// origin is where a section came from, or "" if the field does not say that in one of the stated ways.
func origin(cacheStatus, section string) string {
	for member := range strings.SplitSeq(cacheStatus, ", ") {
		said, ok := strings.CutPrefix(member, section+"; ")
		if _, err := strconv.Atoi(strings.TrimPrefix(said, "hit; ttl=")); ok && err == nil {
			return "hit"
		}
		if ok && slices.Contains([]string{"fwd=miss", "fwd=miss; collapsed", "fwd=stale; fwd-status=304"}, said) {
			return said
		}
	}
	return ""
}

var versions = regexp.MustCompile(`canary\.[a-z]+\.[a-z]+\.([0-9]+)`)

// version is that of a section, which has to be the user's own as a whole.
func (v *verdict) version(section int, content string) int {
	found := versions.FindStringSubmatch(content)
	if found == nil {
		v.expectf(false, "%s has no version: %s", sections[section], content)
		return -1
	}
	version, _ := strconv.Atoi(found[1])
	v.expectf(content == v.shown(v.user, section, version), "%s is not the user's: %s", sections[section], content)
	return version
}
