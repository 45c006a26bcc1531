package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	askers = 4
	pause  = 50 * time.Millisecond // of an asker between two requests
	// before and after are for how long is asked before a replica goes, and after it has gone.
	before = time.Second
	after  = 6 * time.Second
)

// asked is a request and what became of it.
type asked struct {
	begun, ended time.Time
	err          error
}

// span is from when a replica was told to go until it had gone.
type span struct{ from, to time.Time }

// tally is what became of the requests around a span.
type tally struct {
	total    int
	inFlight int // within the span
	cut      int // of those in flight, how many failed
	slowest  time.Duration
	failed   []error // of all others
}

// count judges requests by when they were sent.
func count(all []asked, going span) tally {
	t := tally{total: len(all)}
	for _, a := range all {
		t.slowest = max(t.slowest, a.ended.Sub(a.begun))
		inFlight := a.begun.Before(going.to) && a.ended.After(going.from)
		if inFlight {
			t.inFlight++
		}
		switch {
		case a.err == nil:
		case inFlight:
			t.cut++
		default:
			t.failed = append(t.failed, fmt.Errorf("%+.1fs: %w", a.begun.Sub(going.from).Seconds(), a.err))
		}
	}
	return t
}

// mobileStops stops a replica as a roll-out does: nothing may be lost, whenever it was sent.
func (s *suite) mobileStops(ctx context.Context) (string, error) {
	t, err := s.without(ctx, "bff-mobile", mobileDashboard(), func(ctx context.Context, id string) error {
		_, err := s.project.docker(ctx, "stop", "-t", "45", id)
		return err
	})
	if err == nil && t.cut > 0 {
		err = fmt.Errorf("%d requests in flight were cut", t.cut)
	}
	return t.String(), err
}

func (s *suite) mobileIsKilled(ctx context.Context) (string, error) {
	t, err := s.without(ctx, "bff-mobile", mobileDashboard(), s.kill)
	return t.String(), err
}

func (s *suite) webIsKilled(ctx context.Context) (string, error) {
	t, err := s.without(ctx, "bff-web", webDashboard(), s.kill)
	return t.String(), err
}

// partnerIsKilled has nobody left who could answer.
func (s *suite) partnerIsKilled(ctx context.Context) (string, error) {
	victim, err := s.project.replica(ctx, "bff-partner")
	if err != nil {
		return "", err
	}
	if err := s.kill(ctx, victim.ID); err != nil {
		return "", err
	}
	begun := time.Now()
	if err := s.look(ctx, partnerDashboard(), s.person, func(got answer) error { return got.want(http.StatusBadGateway, `"code":"unreachable"`) }); err != nil {
		return "", err
	}
	told := time.Since(begun)
	if err := s.look(ctx, mobileDashboard(), s.person, whole); err != nil {
		return "", err
	}
	if err := s.start(ctx); err != nil {
		return "", err
	}
	took, err := s.lookAtAll(ctx, s.person, 20*time.Second, whole)
	return fmt.Sprintf("502 as a problem after %v, while mobile is whole; whole again %v after it was back",
		told.Round(time.Millisecond), took.Round(time.Millisecond)), err
}

// kill leaves a replica no time at all.
func (s *suite) kill(ctx context.Context, id string) error {
	_, err := s.project.docker(ctx, "kill", id)
	return err
}

// without goes on asking for a dashboard while one replica goes, and has the replica back in the end. The edge asks
// another replica when one does not answer, so a request fails only where its answer had begun when the replica was
// killed: what is sent before or later may not.
func (s *suite) without(ctx context.Context, service string, at dashboard, remove func(ctx context.Context, id string) error) (tally, error) {
	victim, err := s.project.replica(ctx, service)
	if err != nil {
		return tally{}, err
	}
	asking, stop := context.WithCancel(ctx)
	all := s.keepAsking(asking, at)
	wait(ctx, before)
	going := span{from: time.Now()}
	err = remove(ctx, victim.ID)
	going.to = time.Now()
	wait(ctx, after)
	stop()
	t := count(<-all, going)
	if err == nil && len(t.failed) > 0 {
		err = fmt.Errorf("%d of %d requests failed: %w", len(t.failed), t.total, errors.Join(t.failed[:min(5, len(t.failed))]...))
	}
	if err == nil {
		err = s.start(ctx)
	}
	return t, err
}

// String is what there is to see.
func (t tally) String() string {
	return fmt.Sprintf("%d requests, %d failed, and %d of %d in flight meanwhile; the slowest took %v",
		t.total, len(t.failed), t.cut, t.inFlight, t.slowest.Round(time.Millisecond))
}

// keepAsking has several clients ask, each again and again, until ctx ends.
func (s *suite) keepAsking(ctx context.Context, at dashboard) <-chan []asked {
	var mu sync.Mutex
	var all []asked
	var askersDone sync.WaitGroup
	for range askers {
		askersDone.Go(func() {
			for ctx.Err() == nil {
				one := asked{begun: time.Now()}
				// Whoever asks when it ends still gets an answer.
				one.err = s.look(context.WithoutCancel(ctx), at, s.person, func(got answer) error { return got.want(http.StatusOK, "{") })
				one.ended = time.Now()
				mu.Lock()
				all = append(all, one)
				mu.Unlock()
				wait(ctx, pause)
			}
		})
	}
	result := make(chan []asked, 1)
	go func() {
		askersDone.Wait()
		result <- all
	}()
	return result
}

// wait returns earlier when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
