package session

import (
	"context"
	"errors"
	"time"
)

const (
	// renewWait is how long a request waits for new tokens.
	renewWait = 5 * time.Second
	// renewWithin bounds a renewal, which goes on when the requests that asked for it have left.
	renewWithin = 45 * time.Second
	// renewPause is how long a renewal is not tried again while nobody needs it yet.
	renewPause = time.Second
	// saveWithin is how long new tokens are tried to be stored: without that, the session would be lost.
	saveWithin = 30 * time.Second
	savePause  = 100 * time.Millisecond
)

// renewed returns the session with an access token that is good. All requests of a session that need a new one share
// one call, over all replicas, which goes on when they leave. While the old token is good nobody waits for it.
func (m *Manager) renewed(ctx context.Context, id string, s saved) (saved, error) {
	now := time.Now()
	if now.Before(s.renewAt) {
		return s, nil
	}
	good := now.Before(s.expires)
	if s.refresh.IsZero() {
		if good {
			return s, nil
		}
		return s, m.over(ctx, id, s)
	}
	if good {
		shareLater(ctx, &m.renewals, id, func(ctx context.Context) (saved, error) { return m.renewEarly(ctx, id) })
		return s, nil
	}
	waiting, cancel := context.WithTimeout(ctx, renewWait)
	defer cancel()
	fresh, err := share(waiting, &m.renewals, id, func(ctx context.Context) (saved, error) { return m.renew(ctx, id) })
	switch {
	case err == nil:
		fresh.left = s.left
		return fresh, nil
	case ctx.Err() != nil:
		return s, ctx.Err()
	case waiting.Err() != nil:
		return s, awayError{errors.New("the token endpoint takes too long")}
	default:
		return s, err
	}
}

// renewEarly renews a session whose token is still good. After a failure it holds back those that would try again, those
// whose token ends in that second too.
func (m *Manager) renewEarly(ctx context.Context, id string) (saved, error) {
	s, err := m.renew(ctx, id)
	if err != nil && !errors.Is(err, errNoRecord) {
		m.log.WarnContext(ctx, "access token not renewed", "error", err.Error())
		<-time.After(renewPause)
	}
	return s, err
}

// renew exchanges the tokens of a session, unless somebody else does: then it waits for what comes of that.
func (m *Manager) renew(ctx context.Context, id string) (saved, error) {
	if err := m.calls.Acquire(ctx, 1); err != nil {
		return saved{}, err
	}
	defer m.calls.Release(1)
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	for {
		s, err := m.leased(ctx, id, func() (saved, error) { return m.exchange(ctx, id) })
		if !errors.Is(err, errLeased) {
			return s, err
		}
		s, err = m.store.load(ctx, id)
		if err != nil || time.Now().Before(s.renewAt) {
			return s, err
		}
		select {
		case <-time.After(leaseAgain):
		case <-ctx.Done():
			return s, awayError{errors.New("another replica has been renewing the session for too long")}
		}
	}
}

// exchange exchanges the tokens of a session that nobody else is renewing.
func (m *Manager) exchange(ctx context.Context, id string) (saved, error) {
	s, err := m.store.load(ctx, id)
	if err != nil || time.Now().Before(s.renewAt) { // renewed by whoever had the lease before
		return s, err
	}
	replacement, err := m.provider.renew(ctx, s.record)
	if _, refused := errors.AsType[refusedError](err); refused {
		return m.refused(ctx, id, s, err)
	}
	if err != nil {
		return s, err
	}
	return m.save(ctx, id, s, replacement)
}

// refused ends a session that is over for the provider, unless somebody without the lease has renewed it meanwhile.
func (m *Manager) refused(ctx context.Context, id string, s saved, why error) (saved, error) {
	current, err := m.store.load(ctx, id)
	if err != nil || current.sealed != s.sealed {
		return current, err
	}
	m.log.InfoContext(ctx, "session ended by the provider", "user", s.subject, "error", why.Error())
	return s, m.over(ctx, id, s)
}

// save stores new tokens, and does not give up at once: the old ones are worth nothing any more.
func (m *Manager) save(ctx context.Context, id string, s saved, replacement record) (saved, error) {
	ctx, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	for {
		swapped, err := m.store.swap(ctx, id, s, replacement)
		if err == nil && swapped {
			s.record = replacement
			return s, nil
		}
		if err == nil { // ended or renewed while we asked
			return m.store.load(ctx, id)
		}
		select {
		case <-time.After(savePause):
		case <-ctx.Done():
			m.log.ErrorContext(ctx, "new tokens lost", "user", s.subject, "error", err.Error())
			return s, err
		}
	}
}

// over ends a session that cannot go on, and returns that there is none.
func (m *Manager) over(ctx context.Context, id string, s saved) error {
	if err := m.end(ctx, id, s); err != nil {
		return err
	}
	return errNoRecord
}
