package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bff.internal/devstack/stack"
)

func TestOrdersThatFailUnderLoadAreThoseOfBeforeAndThatIsSaid(t *testing.T) {
	t.Parallel()
	const users, each = 10, 20
	cfg := stack.FreePorts()
	cfg.Upstream.CacheBytes = 1 << 20
	s := startWith(t, cfg)
	tokens := make([]http.Header, users)
	for i := range tokens {
		token, err := s.Credentials("user-" + strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		tokens[i] = http.Header{"Authorization": {"Bearer " + token}}
	}
	ask := func(whose http.Header) answer {
		return s.as(t, http.MethodGet, s.Edge+"/mobile/dashboard", whose.Clone(), "")
	}
	before := make([]string, users)
	for i, whose := range tokens {
		s.eventually(t, func() bool { // on a busy machine, not all are in time
			got := ask(whose)
			before[i] = got.body
			return got.StatusCode == http.StatusOK && !strings.Contains(got.body, "_meta")
		})
	}

	s.fault(t, s.Orders, `{"status":500}`)
	var load sync.WaitGroup
	for i, whose := range tokens {
		load.Go(func() {
			for range each {
				got := ask(whose)
				if got.shed(t) {
					continue
				}
				stale := strings.TrimSuffix(before[i], "}") + `,"_meta":{"sections":{"activeOrders":{"status":"stale","age":`
				if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.body, stale) || got.Header.Get("Bff-Partial") != "" {
					t.Errorf("%d %s, want %s…", got.StatusCode, got.body, stale)
				}
			}
		})
	}
	load.Wait()

	somebodyNew, err := s.Credentials("somebody-new")
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(http.Header{"Authorization": {"Bearer " + somebodyNew}}); !strings.HasPrefix(got.Header.Get("Bff-Partial"), "activeOrders;reason=") {
		t.Errorf("of somebody new nothing is kept: %d %s %s", got.StatusCode, got.Header.Get("Bff-Partial"), got.body)
	}
	s.fault(t, s.Orders, "")
	for i, whose := range tokens {
		s.eventually(t, func() bool { return ask(whose).body == before[i] })
	}
}
