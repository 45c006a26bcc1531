package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// metadataWithin is how long a logout waits for a provider that is not known yet.
	metadataWithin = 500 * time.Millisecond
	// siblingsWithin is how long it takes for the other sessions of the browser. Those that are left end by themselves.
	siblingsWithin = time.Second
	// mostCookies is how many sessions one request may end. A browser sends one.
	mostCookies = 4
)

// Logout ends the request's session and all others that began in the same session of the provider, which are those of
// the same browser; it clears the cookie, and answers where to send the browser so that the provider forgets it too:
// {"logoutUrl": …}. Without a session it does the same. The error is a problem: when the session cannot be ended the
// cookie stays, for it would go on without it.
func (m *Manager) Logout(w http.ResponseWriter, r *http.Request) error {
	own := saved{}
	ids := sessionCookies(r)
	for _, id := range ids[:min(len(ids), mostCookies)] {
		s, err := m.endOne(r.Context(), id)
		if err != nil {
			return m.problem(r, err)
		}
		if s.subject != "" {
			own = s
		}
	}
	m.endSiblings(r.Context(), own)
	body, err := json.Marshal(struct {
		LogoutURL string `json:"logoutUrl"`
	}{m.logoutURL(r.Context(), own)})
	if err != nil {
		return err
	}
	clearSession(w)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the client may leave; there is nobody to tell
	return nil
}

// endSiblings ends the other sessions that began in the same session of the provider.
func (m *Manager) endSiblings(ctx context.Context, own saved) {
	if own.providerSession == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, siblingsWithin)
	defer cancel()
	if _, err := m.EndProviderSession(ctx, own.providerSession); err != nil {
		m.log.WarnContext(ctx, "other sessions of the browser not ended", "error", err.Error())
	}
}

// endOne ends a session, also one that this replica cannot decrypt: others could. It returns what it knew of it.
func (m *Manager) endOne(ctx context.Context, id string) (saved, error) {
	s, err := m.store.load(ctx, id)
	if err != nil && !errors.Is(err, errNoRecord) {
		return s, err
	}
	return s, m.end(ctx, id, s)
}

// logoutURL is the application's own page when the provider cannot be asked for its own.
func (m *Manager) logoutURL(ctx context.Context, s saved) string {
	ctx, cancel := context.WithTimeout(ctx, metadataWithin)
	defer cancel()
	known, err := m.provider.metadata(ctx)
	if err != nil {
		m.log.WarnContext(ctx, "signed out without the provider", "error", err.Error())
		return m.home()
	}
	return known.logoutURL(s.idToken, m.home())
}

// EndSubject ends all sessions of a user, and returns how many there were. The error is that of Redis; calling again
// goes on where it stopped.
func (m *Manager) EndSubject(ctx context.Context, subject string) (int, error) {
	return m.endListed(ctx, subjectKey(subject))
}

// EndProviderSession ends all sessions that began in one session of the provider, the claim sid of its tokens.
func (m *Manager) EndProviderSession(ctx context.Context, sid string) (int, error) {
	return m.endListed(ctx, providerKey(sid))
}

func (m *Manager) endListed(ctx context.Context, key string) (ended int, err error) {
	ids, err := m.store.listed(ctx, key)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		switch s, err := m.store.load(ctx, id); {
		case errors.Is(err, errNoRecord):
			continue
		case err != nil:
			return ended, err
		default:
			if err := m.end(ctx, id, s); err != nil {
				return ended, err
			}
			ended++
		}
	}
	return ended, nil
}

// end deletes a session and tells who wants to know. A client that leaves does not stop it half-way.
func (m *Manager) end(ctx context.Context, id string, s saved) error {
	detached := context.WithoutCancel(ctx)
	ended, err := m.store.end(detached, id)
	m.reads.Forget(id) // a read that was under way knows nothing of this
	if err != nil || !ended || s.subject == "" {
		return err // of a session that cannot be decrypted, nobody knows whose it is
	}
	if err := m.store.unlist(detached, id, s.record); err != nil {
		// The index drops it by itself, at the latest when the session would have ended.
		m.log.WarnContext(ctx, "ended session still listed", "error", err.Error())
	}
	if m.app.Ended != nil {
		m.app.Ended(detached, newSession(id, s.record, time.Until(s.endsAt)))
	}
	return nil
}
