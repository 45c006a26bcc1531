package session

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leaseLasts is how long a replica that dies with a lease keeps the others waiting.
	leaseLasts = 3 * time.Second
	// leaseAgain is the pause between two looks at what another replica is doing.
	leaseAgain = 50 * time.Millisecond
)

// errLeased means that another replica is at it.
var errLeased = errors.New("another replica renews the session")

// leased runs f while this replica holds the lease of the session, of which there is one over all replicas. The lease
// is renewed as long as f runs. Should it be lost all the same, because Redis or this process stood still, then two
// replicas run f, and what fences one of them off is store.swap. The error is errLeased, a storeError, or that of f.
func (m *Manager) leased(ctx context.Context, id string, f func() (saved, error)) (saved, error) {
	holder := rand.Text()
	if err := m.store.lease(ctx, id, holder); err != nil {
		return saved{}, err
	}
	done := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() { m.keepLease(ctx, id, holder, done) })
	defer func() {
		close(done)
		keeping.Wait()
		if err := m.store.leaseOver(ctx, id, holder); err != nil {
			m.log.WarnContext(ctx, "lease of a session left to end by itself", "error", err.Error())
		}
	}()
	return f()
}

// keepLease renews the lease until done is closed.
func (m *Manager) keepLease(ctx context.Context, id, holder string, done <-chan struct{}) {
	again := time.NewTicker(leaseLasts / 3)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			_ = m.store.keepLease(ctx, id, holder) // the next time may do, and swap fences off whoever is too late
		case <-done:
			return
		}
	}
}

func leaseKey(id string) string { return "session:lease:{" + id + "}" }

// Scripts that touch a lease only while it is the holder's.
//
//nolint:gochecknoglobals // read-only
var (
	keepScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`)
	releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0`)
)

// lease takes the lease of a session.
func (s store) lease(ctx context.Context, id, holder string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	err := s.redis.SetArgs(ctx, leaseKey(id), holder, redis.SetArgs{Mode: "NX", TTL: leaseLasts}).Err()
	if errors.Is(err, redis.Nil) {
		return errLeased
	}
	if err != nil {
		return storeError{err}
	}
	return nil
}

// keepLease lets the lease last for as long again.
func (s store) keepLease(ctx context.Context, id, holder string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	return keepScript.Run(ctx, s.redis, []string{leaseKey(id)}, holder, leaseLasts.Milliseconds()).Err()
}

// leaseOver gives the lease back.
func (s store) leaseOver(ctx context.Context, id, holder string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	return releaseScript.Run(ctx, s.redis, []string{leaseKey(id)}, holder).Err()
}
