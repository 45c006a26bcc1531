package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
	"bff.internal/devstack/process"
)

const (
	lossReplicas = 3
	lossRate     = 150
	lossCallers  = 8
	lossBefore   = time.Second
	// lossGrace is how long clients may notice that a replica is lost, and lossJudged how long they may not after that.
	lossGrace, lossJudged = 2 * time.Second, 2 * time.Second
	// lossShares is how long calls are counted when the replica is back.
	lossShares = 2 * time.Second
)

// replicaLoss breaks one of three replicas of a service that every answer needs, in three ways, and lets it come back.
// The naive build tries again elsewhere, but knows nothing to do about a replica that does not answer.
func replicaLoss(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	judged := lossJudged
	if !short {
		judged *= 10
	}
	l, err := newLoss(ctx, r, judged)
	if err != nil {
		return nil, err
	}
	var lost []lostReplica
	for _, w := range l.ways(ctx) {
		o, err := l.lose(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		r.Tellf("%s: in the first %v %v failed, and %v naively; when it was well it got a call after %.1f s", o.way, lossGrace, o.ours.first, o.naive.first, o.back.Seconds())
		lost = append(lost, o)
	}
	return lossFigures(lost), nil
}

// loss is what the ways of losing a replica have in common.
type loss struct {
	rig      *rig.Rig
	bff      rig.BFF
	callers  []http.Header
	standIns [lossReplicas]*process.Process
	link     *rig.Link // to the first one
	urls     []string
	judged   time.Duration
}

func newLoss(ctx context.Context, r *rig.Rig, judged time.Duration) (l *loss, err error) {
	l = &loss{rig: r, bff: rig.BFFs()[0], judged: judged}
	if l.callers, err = r.Callers(ctx, l.bff, lossCallers); err != nil {
		return nil, err
	}
	for i := range l.standIns {
		if l.standIns[i], err = r.StartStandIn(ctx, rig.Users, fmt.Sprintf("users-%d", i+1)); err != nil {
			return nil, err
		}
		l.urls = append(l.urls, "http://"+l.standIns[i].Addr)
	}
	if l.link, err = r.Between(ctx, l.standIns[0]); err != nil {
		return nil, err
	}
	l.urls[0] = l.link.URL()
	return l, nil
}

// load starts a replica of a build, and requests to it.
func (l *loss) load(ctx context.Context, name string, naive bool) (*load.Load, error) {
	replica, err := l.rig.StartReplica(ctx, l.bff, rig.ReplicaConfig{
		Name: l.bff.Name + "-" + name, Naive: naive, Asks: map[rig.Service][]string{rig.Users: l.urls},
	})
	if err != nil {
		return nil, err
	}
	return load.Start(ctx, replica.Dashboards(l.callers, lossRate)), nil
}

// way is one of losing a replica.
type way struct {
	name       string
	lose, heal func() error
}

// lostReplica is what became of one way.
type lostReplica struct {
	way         string
	ours, naive lostAnswers
	back        time.Duration // until it got a call again
	first       shares        // in the second after that
	later       shares
}

// lostAnswers is what clients noticed: in the beginning, and then.
type lostAnswers struct{ first, later load.Tally }

// newLostAnswers stops the load, in whose course the replica was lost.
func newLostAnswers(l *load.Load, lost, until time.Time) lostAnswers {
	t, at := l.Stop(), lost.Sub(l.Begun())
	return lostAnswers{first: t.Between(at, at+lossGrace), later: t.Between(at+lossGrace, until.Sub(l.Begun()))}
}

// shares is how many calls the replica got, of all.
type shares struct{ its, all int }

func (s shares) percent() float64 { return 100 * float64(s.its) / float64(max(1, s.all)) }

func lossFigures(lost []lostReplica) []figure {
	const of, atMost = 1000, 1 // 0.1 %
	judge := func(answers func(lostReplica) load.Tally) measured {
		m := measured{passes: true}
		list := make([]string, 0, len(lost))
		for _, l := range lost {
			t := answers(l)
			list = append(list, fmt.Sprintf("%s %v", l.way, t))
			m.passes = m.passes && t.Total() > 0 && of*t.Failed() <= atMost*t.Total()
		}
		m.says = strings.Join(list, "; ")
		return m
	}
	figures := make([]figure, 0, 1+2*len(lost))
	figures = append(figures, figure{
		what: fmt.Sprintf("one replica of %d lost: sent later than %v after it, failed", lossReplicas, lossGrace), line: "at most 0.1 % each",
		ours:  judge(func(l lostReplica) load.Tally { return l.ours.later }),
		naive: judge(func(l lostReplica) load.Tally { return l.naive.later }),
	})
	const least, fair, most, stampede = 20, 100.0 / lossReplicas, 46, 1.5 * 100 / lossReplicas
	for _, l := range lost {
		figures = append(figures,
			figure{
				what: l.way + ": calls to it in the first second after it is back", line: fmt.Sprintf("at most %.0f %%, 1.5 times its share", stampede),
				ours: measured{l.first.says(), l.first.its > 0 && l.first.percent() <= stampede},
			},
			figure{
				what: l.way + ": calls to it when it is back", line: fmt.Sprintf("%d to %d %%, where %.0f %% is its share", least, most, fair),
				ours: measured{l.later.says(), l.later.percent() >= least && l.later.percent() <= most},
			})
	}
	return figures
}

func (s shares) says() string { return fmt.Sprintf("%.0f %% (%d of %d)", s.percent(), s.its, s.all) }
