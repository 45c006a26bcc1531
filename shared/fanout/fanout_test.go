package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/shared/fanout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const budget = 800 * time.Millisecond

var (
	errUser   = errors.New("user is broken")
	errOrders = errors.New("orders are broken")
)

// script is how a call behaves; it is a Call of its own argument.
type script struct {
	after  time.Duration
	err    error
	panics any
	// deaf calls fail by themselves even after they have been cancelled.
	deaf bool
}

func (s script) call(ctx context.Context, arg string) (string, error) {
	if s.panics != nil {
		panic(s.panics)
	}
	if s.deaf {
		<-time.After(s.after)
		return arg, s.err
	}
	select {
	case <-time.After(s.after):
		return arg, s.err
	case <-ctx.Done():
		return "half", fmt.Errorf("calling: %w", ctx.Err())
	}
}

// outcome is all that a caller of the package can see.
type outcome struct {
	Values   [3]string
	Statuses string
	Decides  string
	Err      error
	Took     time.Duration
}

func TestAnAnswerOfThreeSections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                   string
		user, orders, activity script // the first two required, the last optional within 300 ms
		want                   outcome
	}{
		{
			name: "all well: the answer takes as long as its slowest section",
			user: script{after: 200 * time.Millisecond}, orders: script{after: 250 * time.Millisecond}, activity: script{after: 100 * time.Millisecond},
			want: outcome{Values: [3]string{"u", "o", "a"}, Statuses: "user ok, orders ok, activity ok", Took: 250 * time.Millisecond},
		},
		{
			name: "an optional section too slow for its own deadline is left out",
			user: script{}, orders: script{after: 350 * time.Millisecond}, activity: script{after: time.Hour},
			want: outcome{Values: [3]string{"u", "o", ""}, Statuses: "user ok, orders ok, activity unavailable (timeout)", Took: 350 * time.Millisecond},
		},
		{
			name: "an optional section that fails has no value, not half of one",
			user: script{}, orders: script{}, activity: script{err: errUser},
			want: outcome{Values: [3]string{"u", "o", ""}, Statuses: "user ok, orders ok, activity unavailable (bad_answer)"},
		},
		{
			name: "an optional section that panics is left out",
			user: script{}, orders: script{}, activity: script{panics: "boom"},
			want: outcome{Values: [3]string{"u", "o", ""}, Statuses: "user ok, orders ok, activity unavailable (bad_answer)"},
		},
		{
			name: "a required section that fails ends the answer at once",
			user: script{err: errUser}, orders: script{after: time.Hour}, activity: script{after: time.Hour},
			want: outcome{Statuses: "user unavailable (bad_answer), orders cancelled, activity cancelled", Decides: "user", Err: errUser},
		},
		{
			name: "a required section at the budget's end is a deadline",
			user: script{after: time.Hour}, orders: script{}, activity: script{},
			want: outcome{Values: [3]string{"", "o", "a"}, Statuses: "user unavailable (timeout), orders ok, activity ok", Decides: "user", Err: context.DeadlineExceeded, Took: budget},
		},
		{
			name: "two required sections fail: the first declared decides, even if it was the later one",
			user: script{after: time.Second, err: errUser, deaf: true}, orders: script{err: errOrders}, activity: script{after: time.Hour},
			want: outcome{Statuses: "user unavailable (bad_answer), orders unavailable (bad_answer), activity cancelled", Decides: "user", Err: errUser, Took: time.Second},
		},
		{
			name: "a required section that gave up by itself decides",
			user: script{err: context.Canceled}, orders: script{after: time.Hour}, activity: script{after: time.Hour},
			want: outcome{Statuses: "user unavailable (bad_answer), orders cancelled, activity cancelled", Decides: "user", Err: context.Canceled},
		},
		{
			name: "a section that failed because we cancelled it does not decide",
			user: script{after: time.Hour}, orders: script{after: time.Millisecond, err: errOrders}, activity: script{},
			want: outcome{Values: [3]string{"", "", "a"}, Statuses: "user cancelled, orders unavailable (bad_answer), activity ok", Decides: "orders", Err: errOrders, Took: time.Millisecond},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := three(t.Context(), tt.user, tt.orders, tt.activity)
				if !errors.Is(got.Err, tt.want.Err) {
					t.Errorf("error = %v, want %v", got.Err, tt.want.Err)
				}
				got.Err, tt.want.Err = nil, nil
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("outcome (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func three(ctx context.Context, user, orders, activity script) outcome {
	begun := time.Now()
	calls := fanout.New(ctx, budget)
	u := fanout.Required(calls, "user", user.call, "u")
	o := fanout.Required(calls, "orders", orders.call, "o")
	a := fanout.Optional(calls, "activity", activity.call, "a", fanout.Within(300*time.Millisecond))
	report, err := calls.Wait()

	out := outcome{Values: [3]string{u.Value(), o.Value(), a.Value()}, Err: err, Took: time.Since(begun)}
	if lost, ok := errors.AsType[*fanout.Error](err); ok {
		out.Decides = lost.Section
		report = lost.Report
	}
	statuses := make([]string, 0, len(report.Sections))
	for _, s := range report.Sections {
		status := s.Name + " " + s.Status()
		if s.Reason() != "" {
			status += " (" + s.Reason() + ")"
		}
		statuses = append(statuses, status)
	}
	out.Statuses = strings.Join(statuses, ", ")
	return out
}

func TestACallerThatLeavesEndsEverySection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, leave)
		got := three(ctx, script{after: time.Hour}, script{after: time.Hour}, script{after: time.Hour})
		if !errors.Is(got.Err, context.Canceled) || got.Took != 50*time.Millisecond || got.Decides != "" {
			t.Errorf("error = %v of section %q after %v, want the caller's leaving after 50ms", got.Err, got.Decides, got.Took)
		}
		if want := "user cancelled, orders cancelled, activity cancelled"; got.Statuses != want {
			t.Errorf("sections: %s, want %s: nobody's failure", got.Statuses, want)
		}
	})
}

func TestACallerThatLeavesAlsoEndsAnAnswerOfOptionalSections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, leave)
		calls := fanout.New(ctx, budget)
		fanout.Optional(calls, "activity", script{after: time.Hour}.call, "a")
		if _, err := calls.Wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want the caller's leaving", err)
		}
	})
}

func TestARequiredPanicIsAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	calls := fanout.New(t.Context(), budget)
	fanout.Required(calls, "user", script{panics: "boom"}.call, "u")
	_, err := calls.Wait()
	var thrown *fanout.PanicError
	if !errors.As(err, &thrown) || thrown.Value != "boom" || !strings.Contains(err.Error(), "fanout_test.script.call") {
		t.Errorf("error = %v, want the panic with the place it came from", err)
	}
}

type refused struct{}

func (refused) Error() string  { return "connection refused" }
func (refused) Reason() string { return "refused" }

func TestAnErrorThatKnowsItsReasonSaysIt(t *testing.T) {
	t.Parallel()
	calls := fanout.New(t.Context(), budget)
	fanout.Optional(calls, "activity", script{err: fmt.Errorf("calling: %w", refused{})}.call, "a")
	report, err := calls.Wait()
	if err != nil || !report.Partial() || report.Sections[0].Reason() != "refused" {
		t.Errorf("report = %+v, error = %v; want activity refused", report, err)
	}
}

func TestProgrammersMistakesPanic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		mistake func(*fanout.Group, *fanout.Branch[string])
	}{
		{"a value is read before Wait", func(_ *fanout.Group, b *fanout.Branch[string]) { b.Value() }},
		{"two sections share a name", func(g *fanout.Group, _ *fanout.Branch[string]) {
			fanout.Optional(g, "user", script{}.call, "u")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := fanout.New(t.Context(), budget)
			branch := fanout.Required(calls, "user", script{}.call, "u")
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
				if _, err := calls.Wait(); err != nil {
					t.Error(err)
				}
			}()
			tt.mistake(calls, branch)
		})
	}
}

func BenchmarkThreeSections(b *testing.B) {
	call := func(_ context.Context, arg string) (string, error) { return arg, nil }
	b.ReportAllocs()
	for b.Loop() {
		calls := fanout.New(b.Context(), budget)
		fanout.Required(calls, "user", call, "u")
		fanout.Optional(calls, "orders", call, "o", fanout.Within(400*time.Millisecond))
		fanout.Optional(calls, "activity", call, "a", fanout.Within(300*time.Millisecond))
		if _, err := calls.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
