package upstream_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestWhoLeavesTakesTheAnswerFromNobody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		leave func(context.Context, time.Duration) (context.Context, context.CancelFunc)
		kind  upstream.Kind
		first bool // the one who leaves made the call
	}{
		{"the first goes", goes, upstream.Cancelled, true},
		{"another goes", goes, upstream.Cancelled, false},
		{"another has no more time", context.WithTimeout, upstream.Timeout, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{afterSecond(good)}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				ada := as(t.Context(), "ada")
				ctx, cancel := tt.leave(ada, 500*time.Millisecond)
				defer cancel()
				begun := time.Now()
				reads := []func(){
					func() {
						if got := told(ctx, client); got != string(tt.kind) || time.Since(begun) != 500*time.Millisecond {
							t.Errorf("who left got %q after %v", got, time.Since(begun))
						}
					},
					func() {
						if got := told(ada, client); got != "1" || time.Since(begun) != time.Second {
							t.Errorf("who stayed got %q after %v", got, time.Since(begun))
						}
					},
				}
				if !tt.first {
					reads[0], reads[1] = reads[1], reads[0]
				}
				var readers sync.WaitGroup
				for _, read := range reads {
					readers.Go(read)
					synctest.Wait()
				}
				readers.Wait()
				if service.asked() != 1 {
					t.Errorf("%d calls, want 1", service.asked())
				}
			})
		})
	}
}

// goes is a context whose caller leaves then.
func goes(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	ctx, leave := context.WithCancel(ctx)
	time.AfterFunc(after, leave)
	return ctx, leave
}

// stubborn is a service whose calls take a while to end when they are cancelled. It knows why they ended.
type stubborn struct {
	mu    sync.Mutex
	asked int
	ended []error
}

func (s *stubborn) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	<-req.Context().Done()
	<-time.After(50 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, req.Context().Err())
	return nil, req.Context().Err()
}

func (s *stubborn) counts() (asked, ended int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, len(s.ended)
}

func TestTheLastWhoLeavesEndsTheCallAndWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &stubborn{}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ada := as(t.Context(), "ada")
		begun := time.Now()
		var readers sync.WaitGroup
		for i := 1; i <= 3; i++ {
			readers.Go(func() {
				ctx, leave := goes(ada, time.Duration(i)*time.Second)
				defer leave()
				want := time.Duration(i) * time.Second
				if i == 3 {
					want += 50 * time.Millisecond
				}
				if got := told(ctx, client); got != "cancelled" || time.Since(begun) != want {
					t.Errorf("reader %d got %q after %v, want to leave after %v", i, got, time.Since(begun), want)
				}
			})
		}
		<-time.After(3*time.Second + time.Millisecond)
		if asked, ended := service.counts(); asked != 1 || ended != 0 {
			t.Errorf("%d calls, %d of them ended; want one that is ending", asked, ended)
		}
		ctx, leave := goes(ada, time.Second)
		defer leave()
		readers.Go(func() { told(ctx, client) })
		synctest.Wait()
		if asked, _ := service.counts(); asked != 2 {
			t.Errorf("%d calls, want a new one beside the one that is ending", asked)
		}
		// The end of the old call must not hide the new one.
		<-time.After(500 * time.Millisecond)
		readers.Go(func() { told(ctx, client) })
		readers.Wait()
		if asked, ended := service.counts(); asked != 2 || ended != 2 {
			t.Errorf("%d calls, %d of them ended; want both", asked, ended)
		}
	})
}

// What only was cancelled would say nothing about a service that never answers.
func TestACallWhoseTimeIsOverIsNotCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &stubborn{}
		client := clientOf(t, service, upstream.Policy{Without: upstream.Layers{Break: true}}, "http://a.test")
		for range 200 {
			ctx, cancel := context.WithTimeout(as(t.Context(), "ada"), time.Second)
			told(ctx, client)
			cancel()
		}
		for i, err := range service.ended {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("call %d ended with %v", i, err)
			}
		}
	})
}

func TestWhoHasMoreTimeThanTheFirstMakesAnotherCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{{Hang: true}, afterSecond(good), said("3")}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		read := func(within time.Duration, want string, after time.Duration) func() {
			return func() {
				ctx, cancel := context.WithTimeout(as(t.Context(), "ada"), within)
				defer cancel()
				begun := time.Now()
				if got := told(ctx, client); got != want || time.Since(begun) != after {
					t.Errorf("with %v: got %q after %v, want %q after %v", within, got, time.Since(begun), want, after)
				}
			}
		}
		var readers sync.WaitGroup
		readers.Go(read(time.Second, "timeout", time.Second))
		synctest.Wait()
		for range 20 {
			readers.Go(read(3*time.Second, "1", 2*time.Second))
		}
		readers.Go(read(time.Second, "timeout", time.Second))
		readers.Wait()
		if service.asked() != 2 {
			t.Errorf("%d calls, want the one that hung and one that all share", service.asked())
		}
	})
}
