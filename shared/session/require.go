package session

import (
	"context"
	"errors"
	"net/http"

	"bff.internal/shared/auth"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

// prolongAfter is which part of the idle time has to have passed before a request prolongs the session, so that not
// every request writes.
const prolongAfter = 30

// Require returns a middleware that lets requests with a session pass, prolongs it, and renews its access token when
// that is about to end. The request's context then carries the Session, the auth.Caller and the upstream.Credentials.
// Any other request is answered 401, or 503 when that cannot be known; the cookie is never touched.
func (m *Manager) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, s, err := m.prolonged(r)
		if err == nil {
			s, err = m.renewed(r.Context(), id, s)
		}
		if err != nil {
			m.app.Fail(w, r, m.problem(r, err))
			return
		}
		caller := m.caller(s)
		ctx := auth.WithCaller(m.identified(r.Context(), id, s), caller)
		ctx = upstream.WithCredentials(ctx, upstream.Credentials{Token: s.access, Key: caller.Key(m.cfg.Issuer)})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Peek returns a middleware like Require that only looks: it neither prolongs the session nor renews its tokens, and
// the context carries the Session alone.
func (m *Manager) Peek(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, s, err := m.find(r.Context(), r)
		if err != nil {
			m.app.Fail(w, r, m.problem(r, err))
			return
		}
		next.ServeHTTP(w, r.WithContext(m.identified(r.Context(), id, s)))
	})
}

// Alive reports whether the session still exists, without prolonging it. The error is that of Redis or of ctx: then
// nobody knows.
func (m *Manager) Alive(ctx context.Context, id string) (bool, error) {
	_, err := m.store.load(ctx, id)
	if errors.Is(err, errNoRecord) {
		return false, nil
	}
	return err == nil, err
}

// find returns the session of a request's cookie. Requests of one session that come together read it once.
func (m *Manager) find(ctx context.Context, r *http.Request) (id string, s saved, err error) {
	id, ok := sessionCookie(r)
	if !ok {
		return "", saved{}, errNoRecord
	}
	s, err = share(ctx, &m.reads, id, func(ctx context.Context) (saved, error) { return m.store.load(ctx, id) })
	return id, s, err
}

// prolonged returns the session of a request's cookie, and lets it last for another idle time from now.
func (m *Manager) prolonged(r *http.Request) (id string, s saved, err error) {
	ctx, cancel := within(r.Context()) // both steps together
	defer cancel()
	id, s, err = m.find(ctx, r)
	if err != nil {
		return "", saved{}, err
	}
	lasts := m.store.lasts(s.endsAt)
	if lasts-s.left < m.cfg.Idle/prolongAfter {
		return id, s, nil
	}
	s.left = lasts
	return id, s, m.store.prolong(ctx, id, s.record)
}

// identified tells the handlers and the log who is signed in.
func (m *Manager) identified(ctx context.Context, id string, s saved) context.Context {
	telemetry.EventFrom(ctx).SetCaller(telemetry.Caller{Kind: auth.KindUser, ID: s.subject})
	return context.WithValue(ctx, sessionKey{}, newSession(id, s.record, s.left))
}
