package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
	"bff.internal/devstack/process"
)

// stop starts a replica at the site, signals it, and watches it until it has ended.
func stop(ctx context.Context, r *rig.Rig, b rig.BFF, signal syscall.Signal) (o stopped, err error) {
	admin, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return o, err
	}
	replica, err := r.StartReplica(ctx, b, rig.ReplicaConfig{
		Name: fmt.Sprintf("%s-signal-%d", b.Name, signal), Addr: r.Site, AdminAddr: admin[0], DrainDelay: stopDelay,
	})
	if err != nil {
		return o, err
	}
	defer replica.Kill()
	callers, err := r.Callers(ctx, b, 1)
	if err != nil {
		return o, err
	}
	w := &watch{rig: r, replica: replica, plan: r.Dashboards(b, callers, stopRate)}
	w.plan.Fresh = true
	if tally := w.load(ctx, stopHeld).Finish(); tally.Failed() > 0 {
		return o, fmt.Errorf("before the signal %v failed", tally)
	}
	if b.Socket != "" {
		if w.socket, err = r.OpenSocket(ctx, b, callers[0]); err != nil {
			return o, err
		}
		defer w.socket.Close()
	}
	return w.signal(ctx, signal)
}

// watch is a replica that is about to get a signal, with its clients.
type watch struct {
	rig     *rig.Rig
	replica *rig.Replica
	plan    load.Plan
	socket  *rig.Socket // or nil
}

// load sends so many requests.
func (w *watch) load(ctx context.Context, count int) *load.Load {
	plan := w.plan
	plan.Most = count
	return load.Start(ctx, plan)
}

// signal sends the signal and returns what came of it when the replica has ended.
func (w *watch) signal(ctx context.Context, signal syscall.Signal) (o stopped, err error) {
	begun := time.Now()
	if err := w.replica.Signal(signal); err != nil {
		return o, err
	}
	var watching sync.WaitGroup
	watching.Go(func() { o.probes = w.probe(ctx) })
	if w.socket != nil {
		watching.Go(func() { o.socket = w.socket.CloseCode(ctx) })
	}
	o.served = w.load(ctx, stopServed).Finish()
	o.held, o.afterClose, err = w.overClose(ctx, begun.Add(stopDelay-heldBefore))
	if err != nil {
		w.replica.Kill() // whoever watches it comes to an end then
	}
	status, exitErr := rig.WaitExited(ctx, w.replica.Process)
	o.status = status
	watching.Wait()
	return o, errors.Join(err, exitErr)
}

// probe asks for readiness as a balancer does, until the replica has ended.
func (w *watch) probe(ctx context.Context) (said []string) {
	for {
		select {
		case <-time.After(probesApart):
		case <-w.replica.Exited():
			return said
		case <-ctx.Done():
			return said
		}
		said = append(said, w.replica.Readiness(ctx))
	}
}

// overClose sends requests at a time when the listener is about to close, has the User Service hold them until it is
// closed, and lets them go. afterClose is how many of them were answered, whole, when it had closed.
func (w *watch) overClose(ctx context.Context, at time.Time) (answers load.Tally, afterClose int, err error) {
	select {
	case <-time.After(time.Until(at)):
	case <-ctx.Done():
		return answers, 0, ctx.Err()
	}
	if err := w.rig.Fault(ctx, w.rig.Users, `{"hang":true}`); err != nil {
		return answers, 0, err
	}
	plan := w.plan
	plan.Most, plan.Rate = stopHeld, 10*stopRate
	held := load.Start(ctx, plan)
	closed := rig.WaitUntil(ctx, "the listener closes", func(ctx context.Context) bool {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.rig.Site)
		if err != nil {
			return errors.Is(err, syscall.ECONNREFUSED)
		}
		_ = conn.Close()
		return false
	})
	before := held.Tally()
	err = errors.Join(closed, w.rig.Fault(ctx, w.rig.Users, ""))
	answers = held.Finish()
	return answers, answers.Kinds[load.Whole] - before.Kinds[load.Whole], err
}
