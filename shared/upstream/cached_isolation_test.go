package upstream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// versions is a service that has one value for each caller and path, and for the path "all" one for everybody. Writes
// make it new. Its tags do not say whose they are, so that who is given another's entry may have it confirmed.
type versions struct {
	mu      sync.Mutex
	random  *rand.Rand
	current map[string]int
}

func (v *versions) chance(n int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.random.IntN(n)
}

func (v *versions) pick(from ...string) string { return from[v.chance(len(from))] }

// of is whose the path is and its version.
func (v *versions) of(caller, path string) (owner string, version int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if path == "all" {
		caller = ""
	}
	return caller + "/" + path, v.current[caller+"/"+path]
}

func (v *versions) pause(ctx context.Context) error {
	timer := time.NewTimer(time.Duration(1+v.chance(15)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *versions) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := v.pause(req.Context()); err != nil {
		return nil, err
	}
	caller, path := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer token of "), req.URL.Path[1:]
	owner, version := v.of(caller, path)
	if req.Method != http.MethodGet {
		v.mu.Lock()
		v.current[owner]++
		v.mu.Unlock()
	}
	answer := v.answer(req, owner, version)
	answer.After = time.Duration(v.chance(15)) * time.Millisecond
	return upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return answer }).RoundTrip(req)
}

func (v *versions) answer(req *http.Request, owner string, version int) upstreamtest.Answer {
	switch v.chance(12) {
	case 0:
		return upstreamtest.Answer{Hang: true}
	case 1:
		return upstreamtest.Answer{Status: http.StatusServiceUnavailable}
	case 2:
		return upstreamtest.Answer{Status: http.StatusForbidden}
	}
	answer := said(owner + "/" + strconv.Itoa(version))
	control := v.pick("max-age=1", "max-age=60", "max-age=0", "no-cache", "max-age=1, stale-while-revalidate=60", "max-age=0, stale-if-error=60", "no-store")
	if strings.HasPrefix(owner, "/") {
		control = "public, " + control
	}
	answer.Header.Set("Cache-Control", control)
	tag, date := fmt.Sprintf("%q", strconv.Itoa(version)), time.Unix(int64(version), 0).UTC().Format(http.TimeFormat)
	switch v.chance(3) {
	case 0:
		answer.Header.Set("ETag", tag)
	case 1:
		answer.Header.Set("Last-Modified", date)
	}
	if vary := v.pick("", "Accept", "Authorization", "Accept, Authorization", "*"); vary != "" {
		answer.Header.Set("Vary", vary)
	}
	if req.Header.Get("If-None-Match") == tag || req.Header.Get("If-Modified-Since") == date {
		answer.Status = http.StatusNotModified
	}
	return answer
}

// reader is a caller that reads and writes, several things at a time, and knows what he must not be told.
type reader struct {
	caller  string
	service *versions
	client  *upstream.Client

	mu    sync.Mutex
	least map[string]int // by path: the latest version of which he knows that he wrote it
	uses  map[cache.Status]int
}

// act does one thing by chance and returns what is wrong with it, or "".
func (r *reader) act(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(as(ctx, r.caller), time.Duration(5+r.service.chance(60))*time.Millisecond)
	defer cancel()
	if r.service.chance(4) == 0 {
		time.AfterFunc(time.Duration(r.service.chance(30))*time.Millisecond, cancel)
	}
	path := r.service.pick("all", "own")
	if r.service.chance(5) == 0 {
		r.write(ctx, path)
		return ""
	}
	return r.read(ctx, path)
}

func (r *reader) write(ctx context.Context, path string) {
	_, version := r.service.of(r.caller, path)
	_, err := upstream.Send[thing](ctx, r.client, upstream.Write{Method: http.MethodPut, Target: upstream.Target{Path: []string{path}}})
	if err == nil || statusOf(err) != 0 {
		version++
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.least[path] = max(r.least[path], version)
}

func (r *reader) read(ctx context.Context, path string) string {
	r.mu.Lock()
	least := r.least[path]
	r.mu.Unlock()
	owner, _ := r.service.of(r.caller, path)
	var notes cache.Notes
	got, err := upstream.Get[thing](cache.WithNotes(ctx, &notes), r.client, upstream.Target{Path: []string{path}})
	if err != nil {
		if kindOf(err) == upstream.BadAnswer && statusOf(err) != http.StatusServiceUnavailable {
			return err.Error()
		}
		return ""
	}
	r.mu.Lock()
	r.uses[notes.Use().Status]++
	r.mu.Unlock()
	version, ok := strings.CutPrefix(got.ID, owner+"/")
	if n, err := strconv.Atoi(version); !ok || err != nil || n < least {
		return fmt.Sprintf("%s was told %s, wants %s/%d or later (%s)", r.caller, got.ID, owner, least, notes.Use().Status)
	}
	return ""
}

// interleaving is two callers who do several things at a time.
func interleaving(t *testing.T, seed uint64, tel *telemetry.Telemetry, uses map[cache.Status]int) {
	t.Helper()
	service := &versions{random: rand.New(rand.NewPCG(seed, 0)), current: map[string]int{}}
	client := upstream.New(upstream.Config{
		Service: "things", Replicas: upstreamtest.Replicas(t, "http://a.test"), Transport: service, Telemetry: tel,
	})
	var all sync.WaitGroup
	readers := []*reader{{caller: "ada"}, {caller: "bob"}}
	for _, r := range readers {
		r.service, r.client, r.least, r.uses = service, client, map[string]int{}, map[cache.Status]int{}
		for range 3 {
			all.Go(func() {
				for range 3 {
					pass([]time.Duration{0, 0, 10 * time.Millisecond, time.Second}[service.chance(4)])
					if wrong := r.act(t.Context()); wrong != "" {
						t.Errorf("seed %d: %s", seed, wrong)
					}
				}
			})
		}
	}
	all.Wait()
	<-time.After(10 * time.Second) // what goes on in the background has ended
	for _, r := range readers {
		for status, n := range r.uses {
			uses[status] += n
		}
	}
}

func TestNobodyIsToldWhatIsNotHisOrFromBeforeHisChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tel, uses := upstreamtest.Telemetry(t), map[cache.Status]int{}
		for seed := uint64(0); seed < 2000 && !t.Failed(); seed++ {
			interleaving(t, seed, tel, uses)
		}
		for _, status := range []cache.Status{cache.Stale, cache.Miss, cache.Collapsed, cache.Revalidated, cache.Hit} {
			if uses[status] < 300 && !t.Failed() {
				t.Errorf("only %d answers were %s", uses[status], status)
			}
		}
	})
}
