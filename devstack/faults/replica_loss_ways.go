package main

import (
	"context"
	"time"

	"bff.internal/devstack/faults/rig"
)

func (l *loss) ways(ctx context.Context) []way {
	fault := func(faults string) func() error {
		return func() error { return l.rig.Fault(ctx, l.standIns[0], faults) }
	}
	return []way{
		{"failing", fault(`{"status":500}`), fault("")},
		{"hanging", fault(`{"hang":true}`), fault("")},
		{"resetting", l.link.Reset, l.link.Heal},
	}
}

// lose loses the replica while both builds are loaded, and has it back for ours alone, whose calls can be counted then.
func (l *loss) lose(ctx context.Context, w way) (o lostReplica, err error) {
	o.way = w.name
	naive, err := l.load(ctx, "naive-"+w.name, true)
	if err != nil {
		return o, err
	}
	defer naive.Stop()
	ours, err := l.load(ctx, w.name, false)
	if err != nil {
		return o, err
	}
	defer ours.Stop()
	if err := pause(ctx, lossBefore); err != nil {
		return o, err
	}
	lost := time.Now()
	if err := w.lose(); err != nil {
		return o, err
	}
	if err := pause(ctx, lossGrace+l.judged); err != nil {
		return o, err
	}
	until := time.Now()
	o.naive = newLostAnswers(naive, lost, until)
	if err := l.comeBack(ctx, w, &o); err != nil {
		return o, err
	}
	o.ours = newLostAnswers(ours, lost, until)
	return o, nil
}

// comeBack heals the replica and counts the calls to it and to all.
func (l *loss) comeBack(ctx context.Context, w way, o *lostReplica) error {
	if err := w.heal(); err != nil {
		return err
	}
	healed := time.Now()
	for _, standIn := range l.standIns {
		if err := l.rig.ForgetCalls(ctx, standIn); err != nil {
			return err
		}
	}
	err := rig.WaitUntil(ctx, "the replica gets a call", func(ctx context.Context) bool {
		counted, err := l.rig.Calls(ctx, l.standIns[0])
		return err == nil && counted.Calls > 0
	})
	if err != nil {
		return err
	}
	o.back = time.Since(healed)
	if o.first, err = l.during(ctx, time.Second); err != nil {
		return err
	}
	o.later, err = l.during(ctx, lossShares)
	return err
}

// during counts calls for so long, and what came to the first replica a moment before.
func (l *loss) during(ctx context.Context, d time.Duration) (s shares, err error) {
	before, err := l.shares(ctx)
	if err != nil {
		return s, err
	}
	if err := pause(ctx, d); err != nil {
		return s, err
	}
	after, err := l.shares(ctx)
	return shares{after.its - before.its, after.all - before.all}, err
}

// shares is what was counted so far.
func (l *loss) shares(ctx context.Context) (s shares, err error) {
	for i, standIn := range l.standIns {
		counted, err := l.rig.Calls(ctx, standIn)
		if err != nil {
			return s, err
		}
		s.all += counted.Calls
		if i == 0 {
			s.its = counted.Calls
		}
	}
	return s, nil
}
