package mobile_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// isolated is bff-mobile while an interleaving is played, with all that it was told by the services and has told users.
type isolated struct {
	*testing.T
	interleaving

	bff    http.Handler
	begun  time.Time
	keys   string            // of the issuer
	owners map[string]int    // by token
	tokens [][]string        // by user
	count  func(what string) // notes that something has happened

	mu     sync.Mutex
	told   map[subject][]telling
	failed map[subject][]failure
	bodies []map[string]string // by user: the answers, by their tags
	tags   [][]string          // by user, in the order in which they were given
	events []event
}

// failure is that a service has given no answer, and what its user may be told then.
type failure struct {
	at     time.Duration
	reason string
}

// event is something that has happened. It is told only if somebody wants to know.
type event struct {
	at     time.Duration
	format string
	args   []any
}

// subject is what a service knows of a user.
type subject struct{ user, section int }

// telling is an answer of a service.
type telling struct {
	allowance

	version         int
	asked, answered time.Duration
}

func newIsolated(t *testing.T, s interleaving, key *ecdsa.PrivateKey, count func(what string)) *isolated {
	t.Helper()
	w := &isolated{T: t, interleaving: s, count: count, begun: time.Now(), keys: keySet(t, key), owners: map[string]int{}, told: map[subject][]telling{}, failed: map[subject][]failure{}}
	for user := range s.users {
		var tokens []string
		for i := range 2 {
			tokens = append(tokens, bff{key: key}.token(t, func(c jwt.MapClaims) {
				c["sub"], c["jti"] = insiders[user], strconv.Itoa(i)
				if user == 2 { // the same person at another client, who may be told otherwise
					c["sub"], c["client_id"] = insiders[0], "watch-app"
				}
			}))
			w.owners[tokens[i]] = user
		}
		w.tokens, w.tags, w.bodies = append(w.tokens, tokens), append(w.tags, nil), append(w.bodies, map[string]string{})
	}
	cfg := config(t)
	cfg.Upstream = upstream.Policy{MaxInFlight: 256, MaxWaiting: 1024, CacheBytes: 1 << 20}
	w.bff = mobile.New(cfg, platformtest.New(t, w))
	return w
}

func (w *isolated) now() time.Duration { return time.Since(w.begun) }

func (w *isolated) eventf(format string, args ...any) {
	w.events = append(w.events, event{w.now(), format, args})
}

// RoundTrip is the network: the issuer, and the services, who answer each user by the token.
func (w *isolated) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := upstreamtest.Answer{Body: `{"issuer":"` + issuer + `","jwks_uri":"` + issuer + `/keys"}`}
	section := slices.Index([]string{"/users/me", "/orders", "/metrics"}, req.URL.Path)
	if req.URL.Path == "/keys" {
		answer.Body = w.keys
	}
	if section < 0 {
		return upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return answer }).RoundTrip(req)
	}
	user, known := w.owners[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
	if !known {
		w.Errorf("%s is asked by nobody", canaries[section])
	}
	asked := w.now()
	e := w.at(user, section, asked)
	answer = w.answer(req, user, section, e)
	resp, err := upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return answer }).RoundTrip(req)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.eventf("%s of %s, asked at %v on the condition %q: version %d %s, status %d, %v", canaries[section], insiders[user], asked, req.Header.Get("If-None-Match"), e.version, e.fault, answer.Status, err)
	who := subject{user, section}
	switch reason := reasons[e.fault]; {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		w.failed[who] = append(w.failed[who], failure{w.now(), "timeout"})
	case reason != "":
		w.failed[who] = append(w.failed[who], failure{w.now(), reason})
	default:
		w.told[who] = append(w.told[who], telling{e.allowance, e.version, asked, w.now()})
	}
	return resp, err
}

// reasons are what users are told of faults.
var reasons = map[string]string{
	"500": "bad_answer", "503": "bad_answer", "half": "bad_answer", "429": "shed", "403": "denied", "refused": "refused", "hang": "timeout",
}

// answer is what the service that has the section does in an epoch.
func (w *isolated) answer(req *http.Request, user, section int, e epoch) upstreamtest.Answer {
	a := upstreamtest.Answer{After: e.after, Status: http.StatusOK, Header: http.Header{"Cache-Control": {e.line}}, Body: w.upstream(user, section, e.version)}
	condition, tag := req.Header.Get("If-None-Match"), w.tag(user, e.version)
	if e.tagged {
		a.Header.Set("Etag", tag)
	}
	if condition != "" && !w.tagsAlike && !strings.Contains(condition, insiders[user]) {
		w.Errorf("%s is asked by %s on the condition %s, which is another's", canaries[section], insiders[user], condition)
	}
	switch e.fault {
	case "":
		if e.tagged && condition == tag {
			a.Status, a.Body = http.StatusNotModified, ""
		}
	case "refused":
		a.Err = refusedAnswer.Err
	case "half":
		a.Body = a.Body[:len(a.Body)/2]
	case "hang":
		a.Hang = true
	default:
		a.Status, _ = strconv.Atoi(e.fault)
	}
	return a
}

func (w *isolated) tag(user, version int) string {
	if w.tagsAlike {
		return fmt.Sprintf(`"%d"`, version)
	}
	return fmt.Sprintf(`"%s.%d"`, insiders[user], version)
}

// canary is in every text of a section, and number is every number.
func (w *isolated) canary(user, section, version int) (canary string, number int) {
	if w.alike {
		return fmt.Sprintf("canary.all.%s.%d", canaries[section], version), version
	}
	return fmt.Sprintf("canary.%s.%s.%d", insiders[user], canaries[section], version), 1000*(user+1) + version
}

// upstream is a section as its service answers it.
func (w *isolated) upstream(user, section, version int) string {
	c, n := w.canary(user, section, version)
	money := fmt.Sprintf(`{"amount":%d,"currency":%q}`, n, c)
	return [...]string{
		fmt.Sprintf(`{"id":%[1]q,"name":%[1]q,"email":%[1]q,"phone":%[1]q,"avatarUrl":%[1]q,"locale":%[1]q,"address":{"street":%[1]q},"preferences":{"theme":%[1]q}}`, c),
		fmt.Sprintf(`{"orders":[{"id":%[1]q,"status":%[1]q,"total":%[2]s,"items":[{"sku":%[1]q,"name":%[1]q,"quantity":%[3]d}],`+
			`"shipping":{"carrier":%[1]q,"trackingNumber":%[1]q,"estimatedDelivery":%[1]q}}],"next":%[1]q}`, c, money, n),
		fmt.Sprintf(`{"user":%[1]q,"window":%[1]q,"from":%[1]q,"to":%[1]q,"totals":{"orders":%[3]d,"spent":%[2]s},"series":[{"date":%[1]q}]}`, c, money, n),
	}[section]
}

// shown is a section as its user sees it.
func (w *isolated) shown(user, section, version int) string {
	c, n := w.canary(user, section, version)
	money := fmt.Sprintf(`{"amount":%d,"currency":%q}`, n, c)
	return [...]string{
		fmt.Sprintf(`{"id":%[1]q,"name":%[1]q,"avatarUrl":%[1]q}`, c),
		fmt.Sprintf(`[{"id":%[1]q,"status":%[1]q,"total":%[2]s,"itemCount":%[3]d,"deliveryDate":%[1]q}]`, c, money, n),
		fmt.Sprintf(`{"window":%[1]q,"orders":%[3]d,"spent":%[2]s}`, c, money, n),
	}[section]
}

// reply is what came of a visit.
type reply struct {
	visit

	named      string // the tags that the request came with
	begin, end time.Duration
	left       bool // before there was an answer
	thrown     any
	rec        *httptest.ResponseRecorder
}

// ask makes a visit.
func (w *isolated) ask(v visit) (got reply) {
	got = reply{visit: v, named: w.known(v), begin: w.now(), rec: httptest.NewRecorder()}
	ctx, leave := context.WithCancel(w.Context())
	defer leave()
	if v.patience > 0 {
		defer time.AfterFunc(v.patience, leave).Stop()
	}
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/mobile/dashboard", http.NoBody)
	req.Header.Set("Authorization", "Bearer "+w.tokens[v.user][v.token])
	if got.named != "" {
		req.Header.Set("If-None-Match", got.named)
	}
	defer func() {
		got.end, got.left, got.thrown = w.now(), errors.Is(ctx.Err(), context.Canceled), recover()
	}()
	w.bff.ServeHTTP(got.rec, req)
	return got
}

// known is the list of tags that a visit comes with.
func (w *isolated) known(v visit) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	if own := w.tags[v.user]; len(own) > 0 {
		if v.older {
			list = append(list, own[v.pick%len(own)])
		}
		if v.own {
			list = append(list, own[len(own)-1])
		}
	}
	other := (v.user + 1 + v.pick%(w.users-1)) % w.users
	if tags := w.tags[other]; v.foreign && len(tags) > 0 {
		list = append(list, tags[len(tags)-1-v.pick%min(2, len(tags))])
	}
	return strings.Join(list, ", ")
}
