package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bff.internal/devstack/process"
)

// peer is one of the aggregators that are compared.
type peer struct {
	process *process.Process
	does    string // besides the work that is the same for all
	samples []sample
	memory  int64 // its peak, in bytes
}

// sample is what one round says.
type sample struct {
	cpu  float64 // µs a request
	rate float64 // requests a second
}

// A machine that is busy with something else makes sections late, which says nothing about the peer: such a turn is
// taken again, after circuits had time to close.
const (
	turnTries = 4
	turnPause = 6 * time.Second
)

// turn is one round of one peer. Connecting, and what a process does only for its first requests, such as verifying
// new tokens, comes before the clock is read.
func (b *bench) turn(ctx context.Context, p *peer) (s sample, err error) {
	for range turnTries {
		if s, err = b.measured(ctx, p); !errors.Is(err, errLate) {
			break
		}
		b.tellf(" · %s was late: this machine is busy; again in %v", p.process.Name, turnPause)
		select {
		case <-time.After(turnPause):
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w%s", p.process.Name, err, p.process.LastWords())
	}
	return s, p.process.EmptyLog()
}

func (b *bench) measured(ctx context.Context, p *peer) (s sample, err error) {
	requests, err := b.around.requests(p.process.Addr, b.connections)
	if err != nil {
		return s, err
	}
	l, err := newLoad(ctx, p.process.Addr, requests, b.answer)
	if err != nil {
		return s, err
	}
	defer l.close()
	if err := l.send(ctx, b.requests/20+2*b.connections); err != nil {
		return s, err
	}

	before, err := cpuTime(p.process.PID)
	if err != nil {
		return s, err
	}
	begun := time.Now()
	if err := l.send(ctx, b.requests); err != nil {
		return s, err
	}
	took := time.Since(begun)
	after, err := cpuTime(p.process.PID)
	if err != nil {
		return s, err
	}
	n := float64(b.requests)
	return sample{cpu: float64((after - before).Microseconds()) / n, rate: n / took.Seconds()}, nil
}
