package upstream_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// ejected returns a client of a service of two replicas, of which a.test has just been ejected.
func ejected(t *testing.T) (*upstream.Client, *sick) {
	t.Helper()
	service := &sick{}
	service.at(upstreamtest.Answer{Status: http.StatusInternalServerError})
	client := clientOf(t, service, ejectionAlone, twoReplicas)
	for service.asked() < 5 {
		_, _ = get(t.Context(), client)
	}
	return client, service
}

// nextProbe makes calls until one reaches a.test, and returns how long that took.
func nextProbe(t *testing.T, client *upstream.Client, service *sick) time.Duration {
	t.Helper()
	begun, asked := time.Now(), service.asked()
	for service.asked() == asked {
		if time.Since(begun) > time.Minute {
			t.Fatal("it is never tried")
		}
		<-time.After(100 * time.Millisecond)
		for range 10 { // of which one meets a.test first, when that may be tried
			_, _ = get(t.Context(), client)
		}
	}
	return time.Since(begun)
}

func TestAReplicaThatIsEjectedIsTriedMoreAndMoreSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := ejected(t)
		for _, seconds := range []int64{2, 4, 8, 8, 8} {
			pause := time.Duration(seconds) * time.Second
			if got := nextProbe(t, client, service); got < pause*8/10 || got > pause*12/10+100*time.Millisecond {
				t.Errorf("tried after %v, want %v ± 20 %%", got, pause)
			}
		}
	})
}

func TestAReplicaThatFailsAgainSoonIsEjectedForLonger(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		well time.Duration // between two ejections
		want time.Duration
	}{
		{"at once", 0, 4 * time.Second},
		{"within a minute", 50 * time.Second, 4 * time.Second},
		{"after a minute of being well", 61 * time.Second, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, service := ejected(t)
				service.at(good)
				nextProbe(t, client, service)
				<-time.After(tt.well)
				service.at(upstreamtest.Answer{Status: http.StatusInternalServerError})
				for asked := service.asked(); service.asked() < asked+5; {
					_, _ = get(t.Context(), client)
				}
				if got := nextProbe(t, client, service); got < tt.want*8/10 || got > tt.want*12/10+100*time.Millisecond {
					t.Errorf("tried after %v, want %v ± 20 %%", got, tt.want)
				}
			})
		})
	}
}

func TestOneCallAtATimeTriesAReplica(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := ejected(t)
		<-time.After(3 * time.Second)
		before := service.asked()
		service.at(upstreamtest.Answer{After: time.Second, Body: `{"id":"1"}`})
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() { _, _ = get(t.Context(), client) })
		}
		<-time.After(500 * time.Millisecond)
		call(t, client, 100)
		if got := service.asked() - before; got != 1 {
			t.Errorf("%d calls tried it, want 1", got)
		}
		callers.Wait()
	})
}

func TestACallerThatLeavesDuringItsTryLeavesTheNextOneToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := ejected(t)
		<-time.After(3 * time.Second)
		before := service.asked()
		service.at(upstreamtest.Answer{Hang: true})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, leave)
		for service.asked() == before {
			_, _ = get(ctx, client)
		}
		service.at(good)
		if took := nextProbe(t, client, service); took > time.Second {
			t.Errorf("tried after %v, want at once", took)
		}
	})
}

func TestNoWriteWithoutAKeyTriesAReplica(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, key string
		tried     int
	}{{"without a key", "", 0}, {"with a key", "k", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, service := ejected(t)
				<-time.After(3 * time.Second)
				before := service.asked()
				for range 100 {
					_, _ = upstream.Send[thing](t.Context(), client, upstream.Write{Method: http.MethodPost, Target: aThing, IdempotencyKey: tt.key})
				}
				if got := service.asked() - before; got != tt.tried {
					t.Errorf("tried %d times by 100 writes, want %d", got, tt.tried)
				}
			})
		})
	}
}

func TestAReplicaThatIsWellAgainGetsItsShareAtOnceAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := ejected(t)
		service.at(good)
		nextProbe(t, client, service)
		before := service.asked()
		const calls = 1000
		for range calls {
			if _, err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
		}
		if got := service.asked() - before; got < calls*4/10 || got > calls*6/10 {
			t.Errorf("asked %d times of %d, want about half", got, calls)
		}
		before = service.asked()
		for range calls {
			_, _ = upstream.Send[thing](t.Context(), client, upstream.Write{Method: http.MethodPost, Target: aThing})
		}
		if got := service.asked() - before; got < calls*4/10 || got > calls*6/10 {
			t.Errorf("asked %d times of %d writes, want about half", got, calls)
		}
	})
}

func TestAnEjectedReplicaIsBetterThanNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := ejectionAlone
		policy.Without.Break = false
		service := &sick{}
		service.at(upstreamtest.Answer{Status: http.StatusInternalServerError})
		client := clientOf(t, service, policy, twoReplicas)
		for service.asked() < 5 {
			_, _ = get(t.Context(), client)
		}
		service.Answer("/things/1", upstreamtest.Answer{Status: http.StatusInternalServerError})
		<-time.After(11 * time.Second) // the circuits have forgotten
		for kindOfCall := upstream.Kind(""); kindOfCall != upstream.BreakerOpen; {
			_, err := get(t.Context(), client)
			kindOfCall = kindOf(err)
			if len(service.Requests()) > 100 {
				t.Fatal("the circuits never open")
			}
		}
		share := map[string]int{}
		for _, host := range hosts(&service.Transport) {
			share[host]++
		}
		if share["a.test"] <= 5 {
			t.Errorf("asked %v, want the ejected one too before nobody is", share)
		}
	})
}
