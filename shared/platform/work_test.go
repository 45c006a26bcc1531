package platform_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBackgroundWorkIsOwned(t *testing.T) {
	t.Parallel()
	type run = func(ctx context.Context) error
	fails := func(context.Context) error { return errors.New("no keys") }
	panics := func(context.Context) error { panic("a bug") }
	stays := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	tests := []struct {
		name   string
		runs   []run
		within time.Duration // when the platform is closed
		began  []time.Duration
		logged []string
	}{
		{
			name: "work that is done is not called again",
			runs: []run{func(context.Context) error { return nil }}, within: time.Hour,
			began: []time.Duration{0},
		},
		{
			name: "work that goes on ends with the platform, without a word",
			runs: []run{stays}, within: time.Minute,
			began: []time.Duration{0},
		},
		{
			name: "an error is logged and the work called again",
			runs: []run{fails, stays}, within: time.Minute,
			began:  []time.Duration{0, time.Second},
			logged: []string{"WARN keys: no keys"},
		},
		{
			name: "a panic is an error with a stack, and nobody else's business",
			runs: []run{panics, stays}, within: time.Minute,
			began:  []time.Duration{0, time.Second},
			logged: []string{"ERROR keys: panic: a bug, with a stack"},
		},
		{
			name: "the pause doubles up to half a minute",
			runs: []run{fails, fails, fails, fails, fails, fails, fails, stays}, within: 2 * time.Minute,
			began: []time.Duration{
				0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 31 * time.Second,
				61 * time.Second, 91 * time.Second,
			},
			logged: strings.Split(strings.Repeat("WARN keys: no keys\n", 6)+"WARN keys: no keys", "\n"),
		},
		{
			name: "work that ran for a minute has its failures behind it",
			runs: []run{fails, fails, func(context.Context) error {
				<-time.After(time.Minute)
				return errors.New("no keys")
			}, stays}, within: time.Hour,
			began:  []time.Duration{0, time.Second, 3 * time.Second, 64 * time.Second},
			logged: []string{"WARN keys: no keys", "WARN keys: no keys", "WARN keys: no keys"},
		},
		{
			name: "the end does not wait for a pause",
			runs: []run{fails, stays}, within: 500 * time.Millisecond,
			began:  []time.Duration{0},
			logged: []string{"WARN keys: no keys"},
		},
		{
			name: "an error at the end is logged all the same",
			runs: []run{func(ctx context.Context) error { <-ctx.Done(); return errors.New("half done") }}, within: time.Second,
			began:  []time.Duration{0},
			logged: []string{"WARN keys: half done"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, log := open(t, testConfig())
				began := time.Now()
				var at []time.Duration
				p.Go("keys", func(ctx context.Context) error {
					at = append(at, time.Since(began))
					return test.runs[len(at)-1](ctx)
				})
				<-time.After(test.within)
				p.Close()
				if took := time.Since(began) - test.within; took > 0 {
					t.Errorf("Close took %v", took)
				}
				p.Go("late", func(context.Context) error { t.Error("work begins after Close"); return nil })
				synctest.Wait()
				if diff := cmp.Diff(test.began, at); diff != "" {
					t.Errorf("called at (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.logged, failures(t, log)); diff != "" {
					t.Errorf("logged (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForeverForWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, log := open(t, testConfig())
		release := make(chan struct{})
		p.Go("stubborn", func(context.Context) error { <-release; return nil })
		p.Go("obedient", func(ctx context.Context) error { <-ctx.Done(); return nil })
		began := time.Now()
		p.Close()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("Close took %v, want 5s", took)
		}
		if said := log.entries(t, "background work does not stop"); len(said) != 1 || said[0]["name"] != "stubborn" {
			t.Errorf("logged %v, want the name of the work", said)
		}
		close(release)
	})
}

func failures(t *testing.T, log *logBook) []string {
	t.Helper()
	var lines []string
	for _, entry := range log.entries(t, "background work failed") {
		line := fmt.Sprintf("%v %v: %v", entry["level"], entry["name"], entry["error"])
		if stack, ok := entry["stack"].(string); ok && strings.Contains(stack, "work_test.go") {
			line += ", with a stack"
		}
		lines = append(lines, line)
	}
	return lines
}
