package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	// The User Service can do 100 requests a second, and is asked for 70 % of that.
	slowSlots = `{"slots":20,"work":"200ms"}`
	slowRate  = 70
	slowBy    = 2 * time.Second // more than any BFF waits
	// slowBefore is how long everything is well at first, and slowAfter how long it may take to be well again.
	slowBefore, slowAfter = 2 * time.Second, 10 * time.Second
	slowCallers           = 8
)

// slowUpstream makes a service that every answer needs slower than anybody waits for, and looks whether things are well
// again soon after its end. The circuit of the naive build has opened by then, and stays so for a minute.
func slowUpstream(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	lasts, measuring := 30*time.Second, 20*time.Second
	if short {
		lasts, measuring = 8*time.Second, 3*time.Second
	}
	b := rig.BFFs()[0]
	callers, err := r.Callers(ctx, b, slowCallers)
	if err != nil {
		return nil, err
	}
	both, err := aim{name: "slow", bff: b, service: rig.Users, fault: slowSlots}.startBoth(ctx, r, callers)
	if err != nil {
		return nil, err
	}
	var ours, naive slowness
	err = both.each(func(t *target) error {
		met, err := meetSlowness(ctx, t, callers, lasts, slowAfter+measuring)
		if t == both.ours {
			ours = met
		} else {
			naive = met
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Tellf("ours: while it was slow %v failed; after its end %s", ours.during, ours.recovery())
	r.Tellf("naive: while it was slow %v failed; after its end %s", naive.during, naive.recovery())
	return slowFigures(ours, naive, slowRate*int(measuring.Seconds())*9/10), nil
}

// meetSlowness loads the target before the service gets slow, while it is, and after.
func meetSlowness(ctx context.Context, t *target, callers []http.Header, lasts, after time.Duration) (s slowness, err error) {
	l := load.Start(ctx, t.Dashboards(callers, slowRate))
	defer l.Stop()
	if err := pause(ctx, slowBefore); err != nil {
		return s, err
	}
	if err := t.link.Slow(slowBy); err != nil {
		return s, err
	}
	if err := pause(ctx, lasts); err != nil {
		return s, err
	}
	if err := t.link.Heal(); err != nil {
		return s, err
	}
	healed := time.Since(l.Begun())
	if err := pause(ctx, after); err != nil {
		return s, err
	}
	return newSlowness(l.Stop(), healed), nil
}

// slowness is what became of requests before, during and after.
type slowness struct {
	before, during, soon, after load.Tally
	lastBad                     time.Duration // when the last request that failed was sent, after the end
}

func newSlowness(t load.Tally, healed time.Duration) slowness {
	const ever = time.Hour
	s := slowness{
		before: t.Between(0, slowBefore-time.Second), during: t.Between(slowBefore, healed),
		soon: t.Between(healed, healed+slowAfter), after: t.Between(healed+slowAfter, ever),
	}
	const step = 100 * time.Millisecond
	for at := healed; at < healed+slowAfter; at += step {
		if t.Between(at, at+step).Failed() > 0 {
			s.lastBad = at + step - healed
		}
	}
	return s
}

func (s slowness) recovery() string {
	return fmt.Sprintf("%v failed within %v, the last of them sent in the %.1f s after it", s.soon, slowAfter, s.lastBad.Seconds())
}

func slowFigures(ours, naive slowness, least int) []figure {
	judge := func(s slowness) measured {
		const of, atLeast = 1000, 999 // 99.9 %
		whole, total := s.after.Kinds[load.Whole], s.after.Total()
		return measured{answered(s.after), total >= least && of*whole >= atLeast*total}
	}
	return []figure{
		{
			what:  fmt.Sprintf("sent later than %v after a service was %v slower", slowAfter, slowBy),
			line:  fmt.Sprintf("99.9 %% of at least %d answered 200", least),
			ours:  judge(ours),
			naive: judge(naive),
		},
		{
			what: "sent before, at 70 % of what the service can do",
			line: "all answered 200",
			ours: measured{answered(ours.before), ours.before.Failed() == 0 && ours.before.Total() > 0},
		},
	}
}
