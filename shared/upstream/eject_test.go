package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// ejectionAlone leaves out what else would keep failures from callers.
var ejectionAlone = upstream.Policy{Without: upstream.Layers{Shed: true, Retry: true, Hedge: true, Break: true}}

// sick is a service whose replica at a.test answers something of its own.
type sick struct{ upstreamtest.Transport }

func (s *sick) at(a upstreamtest.Answer) {
	s.atEach(func(int) upstreamtest.Answer { return a })
}

// atEach answers by how often a.test was asked, from 1 on.
func (s *sick) atEach(answer func(n int) upstreamtest.Answer) {
	var asked atomic.Int32
	s.Handle("/things/1", func(req *http.Request) upstreamtest.Answer {
		if req.URL.Host != "a.test" {
			return good
		}
		return answer(int(asked.Add(1)))
	})
}

// asked is how often a.test was asked.
func (s *sick) asked() int {
	asked := 0
	for _, host := range hosts(&s.Transport) {
		if host == "a.test" {
			asked++
		}
	}
	return asked
}

// call makes calls of up to ten milliseconds, one after the other.
func call(t *testing.T, client *upstream.Client, times int) {
	t.Helper()
	for range times {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, _ = get(ctx, client)
		cancel()
	}
}

func TestAReplicaThatFailsInARowIsPassedOver(t *testing.T) {
	t.Parallel()
	failed := upstreamtest.Answer{Status: http.StatusInternalServerError}
	every := func(n int, other upstreamtest.Answer) func(int) upstreamtest.Answer {
		return func(i int) upstreamtest.Answer {
			if i%n == 0 {
				return other
			}
			return failed
		}
	}
	always := func(a upstreamtest.Answer) func(int) upstreamtest.Answer {
		return func(int) upstreamtest.Answer { return a }
	}
	for _, tt := range []struct {
		name   string
		answer func(n int) upstreamtest.Answer
		asked  int // until it is passed over; 0 when it is not
	}{
		{"five 500", always(failed), 5},
		{"five refused connections", always(upstreamtest.Answer{Err: errRefused}), 5},
		{"five that were not in time", always(upstreamtest.Answer{Hang: true}), 5},
		{"five bodies that were not in time", always(upstreamtest.Answer{Stall: time.Second}), 5},
		{"five that are no answer", always(upstreamtest.Answer{ContentType: "text/html"}), 5},
		{"four and an answer", every(5, good), 0},
		{"four and a 404", every(5, upstreamtest.Answer{Status: 404}), 0},
		{"any number of 404", always(upstreamtest.Answer{Status: 404}), 0},
		{"any number of 429", always(upstreamtest.Answer{Status: 429}), 0},
		{"any number that are too large", always(upstreamtest.Answer{Body: strings.Repeat(" ", 1<<19)}), 0},
		{"an answer that is too large between failures says nothing", every(3, upstreamtest.Answer{Body: strings.Repeat(" ", 1<<19)}), 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var service sick
				service.atEach(tt.answer)
				client := clientOf(t, &service, ejectionAlone, "http://a.test,http://b.test,http://c.test")
				call(t, client, 150)
				if got := service.asked(); (tt.asked > 0 && got != tt.asked) || (tt.asked == 0 && got < 25) {
					t.Errorf("asked %d times of 150, want %d", got, tt.asked)
				}
			})
		})
	}
}

func TestCallersThatLeaveEjectNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var service sick
		service.at(upstreamtest.Answer{Hang: true})
		client := clientOf(t, &service, ejectionAlone, twoReplicas)
		for range 100 {
			ctx, leave := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, leave)
			_, _ = get(ctx, client)
			leave()
		}
		if got := service.asked(); got < 25 {
			t.Errorf("asked %d times of 100, want a half", got)
		}
	})
}

func TestAReplicaWhoseTwinsAreAlwaysFasterIsPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &sick{}
		slow.at(good)
		client := clientOf(t, slow, upstream.Policy{Without: upstream.Layers{Break: true}}, twoReplicas)
		for range 200 {
			_, _ = get(t.Context(), client)
		}
		before := slow.asked()
		slow.at(upstreamtest.Answer{Hang: true})
		for range 100 {
			if _, err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
		}
		if got := slow.asked() - before; got != 5 {
			t.Errorf("asked %d times while it hung, want 5", got)
		}
	})
}

func TestNeverAreMoreThanHalfOfTheReplicasEjected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ replicas, left int }{{1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}} {
		t.Run(fmt.Sprintf("%d that all fail", tt.replicas), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusInternalServerError})
				var urls []string
				for i := range tt.replicas {
					urls = append(urls, fmt.Sprintf("http://r%d.test", i))
				}
				client := clientOf(t, &transport, ejectionAlone, strings.Join(urls, ","))
				for range 300 {
					if _, err := get(t.Context(), client); kindOf(err) != upstream.BadAnswer {
						t.Errorf("error = %v, want what the service said", err)
					}
				}
				left := map[string]int{}
				for _, host := range hosts(&transport)[200:] {
					left[host]++
				}
				if len(left) != tt.left {
					t.Errorf("in rotation: %v, want %d", left, tt.left)
				}
			})
		})
	}
}
