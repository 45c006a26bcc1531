package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestADashboardIsWholeOrLacksItsMetricsAlone(t *testing.T) {
	t.Parallel()
	const meta = `,"_meta":{"sections":{"metrics":{"status":"unavailable","reason":"timeout"}}}}`
	partial := http.Header{"Bff-Partial": {"metrics;reason=timeout"}}
	for _, tt := range []struct {
		name                  string
		got                   answer
		whole, withoutMetrics bool
	}{
		{name: "everything is there", got: answer{200, nil, `{"user":{},"activeOrders":[],"metrics":{}}`}, whole: true},
		{name: "metrics are missing, and that is said", got: answer{200, partial, `{"user":{},"activeOrders":[],"metrics":null` + meta}, withoutMetrics: true},
		{name: "metrics are missing in silence", got: answer{200, nil, `{"user":{},"activeOrders":[],"metrics":null}`}},
		{name: "only the header says so", got: answer{200, partial, `{"user":{},"activeOrders":[],"metrics":{}}`}},
		{name: "only the body says so", got: answer{200, nil, `{"user":{},"activeOrders":[],"metrics":null` + meta}},
		{name: "orders are missing", got: answer{200, nil, `{"user":{},"metrics":{}}`}},
		{name: "orders are missing too", got: answer{200, partial, `{"user":{},"activeOrders":null,"metrics":null` + meta}},
		{
			name: "metrics are old and not missing",
			got:  answer{200, partial, `{"user":{},"activeOrders":[],"metrics":{},"_meta":{"sections":{"metrics":{"status":"stale"}}}}`},
		},
		{name: "no answer at all", got: answer{502, nil, `{"title":"Bad Gateway"}`}},
		{name: "no JSON", got: answer{200, nil, `{oops`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := whole(tt.got); (err == nil) != tt.whole {
				t.Errorf("whole: %v", err)
			}
			if err := withoutMetrics(tt.got); (err == nil) != tt.withoutMetrics {
				t.Errorf("without metrics: %v", err)
			}
		})
	}
}

func TestARefusalHasToBeAProblem(t *testing.T) {
	t.Parallel()
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	for _, tt := range []struct {
		name string
		got  answer
		good bool
	}{
		{"a problem with the code", answer{404, problem, `{"code":"not_found"}`}, true},
		{"another status", answer{400, problem, `{"code":"not_found"}`}, false},
		{"another code", answer{404, problem, `{"code":"gone"}`}, false},
		{"no problem", answer{404, http.Header{"Content-Type": {"text/plain"}}, `not_found`}, false},
	} {
		if err := tt.got.want(404, "not_found"); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRequestsAreCountedByWhenTheyWereSent(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return from.Add(time.Duration(seconds * float64(time.Second))) }
	refused := errors.New("refused")
	got := count([]asked{
		{begun: at(-2), ended: at(-1)},
		{begun: at(-1), ended: at(0.5)},                 // in flight, and answered by another replica
		{begun: at(-0.5), ended: at(0.1), err: refused}, // in flight, and cut
		{begun: at(0.5), ended: at(0.6), err: refused},  // not gone yet
		{begun: at(2), ended: at(5)},
		{begun: at(3), ended: at(4), err: refused},
	}, span{from: at(0), to: at(1)})
	if len(got.failed) != 1 || !errors.Is(got.failed[0], refused) {
		t.Errorf("failed are %v, want the last one alone", got.failed)
	}
	got.failed = nil
	if diff := cmp.Diff(tally{total: 6, inFlight: 3, cut: 2, slowest: 3 * time.Second}, got, cmp.AllowUnexported(tally{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAContainerMayDoIsSeen(t *testing.T) {
	t.Parallel()
	const confined = `"ReadonlyRootfs":true,"CapDrop":["ALL"],"SecurityOpt":["no-new-privileges:true"]`
	for _, tt := range []struct {
		name, service, user, host string
		complaints                int
	}{
		{"nothing", "users", "65532:65532", confined, 0},
		{"the edge has its capability", "edge", "65532", confined + `,"CapAdd":["NET_BIND_SERVICE"]`, 0},
		{"nobody else has", "users", "65532", confined + `,"CapAdd":["NET_BIND_SERVICE"]`, 1},
		{"nor has the edge another", "edge", "65532", confined + `,"CapAdd":["CAP_SYS_ADMIN"]`, 1},
		{"root", "users", "0:0", confined, 1},
		{"root by default", "users", "", confined, 1},
		{"a name, which may be root's", "users", "nonroot", confined, 1},
		{"everything", "users", "", `"Privileged":true`, 5},
	} {
		var c container
		text := `{"Config":{"User":"` + tt.user + `","Labels":{"com.docker.compose.service":"` + tt.service + `"}},"HostConfig":{` + tt.host + `}}`
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if got := c.complaints(); len(got) != tt.complaints {
			t.Errorf("%s: %q, want %d complaints", tt.name, got, tt.complaints)
		}
	}
}

func TestPublishedPortsAreSeen(t *testing.T) {
	t.Parallel()
	var found []container
	if err := json.Unmarshal([]byte(`[
		{"Config":{"Labels":{"com.docker.compose.service":"users"}},"NetworkSettings":{"Ports":{"9001/tcp":null}}},
		{"Config":{"Labels":{"com.docker.compose.service":"edge"}},"NetworkSettings":{"Ports":{"8080/tcp":[{"HostPort":"1"}],"53/udp":[{"HostPort":"2"}]}}}
	]`), &found); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"edge 53/udp", "edge 8080"}, published(found)); diff != "" {
		t.Error(diff)
	}
}

func TestTheAddressIsThatOfTheRequest(t *testing.T) {
	t.Parallel()
	log := `{"msg":"serving"}
no JSON
{"msg":"request","clientIp":"10.0.0.1","userAgent":"other"}
{"msg":"request","clientIp":"10.0.0.2","userAgent":"mine"}
`
	if got := clientIP(log, "mine"); got != "10.0.0.2" {
		t.Errorf("got %q", got)
	}
	if got := clientIP(log, "nobody"); got != "" {
		t.Errorf("got %q of nobody", got)
	}
}

func TestEveryReplicaHasToAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		counts []int
		good   bool
	}{{[]int{3, 1, 2}, true}, {[]int{3, 0, 2}, false}, {[]int{3, 3}, false}} {
		if err := everywhere(tt.counts); (err == nil) != tt.good {
			t.Errorf("%v: %v", tt.counts, err)
		}
	}
}
