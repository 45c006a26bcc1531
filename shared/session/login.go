package session

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// Login sends the browser to the provider, and from there to Callback, which goes on to the query parameter returnTo.
// The error is a problem.
func (m *Manager) Login(w http.ResponseWriter, r *http.Request) error {
	return m.forPeople(w, r, m.login(w, r))
}

func (m *Manager) login(w http.ResponseWriter, r *http.Request) error {
	returnTo, err := m.returnTo(r.URL.Query())
	if err != nil {
		return m.problem(r, err)
	}
	return m.ask(w, r, attempt{ReturnTo: returnTo, Replaces: m.present(r)})
}

// ask sends the browser to the provider.
func (m *Manager) ask(w http.ResponseWriter, r *http.Request, a attempt) error {
	known, err := m.provider.metadata(r.Context())
	if err != nil {
		return m.problem(r, err)
	}
	a.ID, a.Nonce, a.Verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	a.Binding, a.Expires = bind(w, r), time.Now().Add(loginWithin)
	state, err := m.logins.sealState(a)
	if err != nil {
		return err
	}
	redirect(w, known.loginURL(a, state))
	return nil
}

func (m *Manager) returnTo(query url.Values) (string, error) {
	if !query.Has("returnTo") {
		return m.app.Home, nil
	}
	if len(query["returnTo"]) > 1 {
		return "", errReturnTo
	}
	return localPath(query.Get("returnTo"))
}

// mostRestarts is how often a login begins anew by itself.
const mostRestarts = 2

// Callback takes the provider's answer to a login, begins a session, and sends the browser where it wanted to go. The
// session that the browser had before ends then. When the session cannot be stored, a person's login begins anew by
// itself, twice at most: the provider knows them by now and asks nothing. The error is a problem.
func (m *Manager) Callback(w http.ResponseWriter, r *http.Request) error {
	answer := r.URL.Query()
	a, err := m.attemptOf(r, answer)
	cookie := ""
	if err == nil {
		cookie, err = m.begin(r.Context(), a, answer)
	}
	_, blip := errors.AsType[storeError](err)
	switch {
	case err == nil:
		m.setSession(w, cookie)
		redirect(w, a.ReturnTo)
		return nil
	case blip && a.Restarts < mostRestarts && byPerson(r):
		m.log.WarnContext(r.Context(), "login begins anew", "error", err.Error())
		a.Restarts++
		return m.forPeople(w, r, m.ask(w, r, a))
	default:
		return m.forPeople(w, r, m.problem(r, err))
	}
}

// attemptOf returns the login of this browser that the answer belongs to.
func (m *Manager) attemptOf(r *http.Request, answer url.Values) (attempt, error) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(answer[name]) > 1 {
			return attempt{}, errState
		}
	}
	return m.logins.openState(r, answer.Get("state"))
}

// begin turns the provider's answer into a session, and returns its cookie.
func (m *Manager) begin(ctx context.Context, a attempt, answer url.Values) (cookie string, err error) {
	known, err := m.provider.metadata(ctx)
	if err != nil {
		return "", err
	}
	if answer.Has("iss") && answer.Get("iss") != m.cfg.Issuer || !answer.Has("iss") && known.namesItself {
		return "", errIssuer
	}
	if answer.Has("error") || answer.Get("code") == "" {
		return "", declinedError{answer.Get("error")}
	}
	if err := m.store.once(ctx, a.ID, a.Expires); err != nil {
		return "", err
	}
	r, err := m.provider.exchange(ctx, known, answer.Get("code"), a)
	if _, away := errors.AsType[awayError](err); away {
		m.forget(ctx, a)
	}
	if err != nil {
		return "", err
	}
	r.endsAt = time.Now().Add(m.cfg.Lifetime).UTC().Truncate(time.Second)
	cookie = newID()
	if err := m.store.create(ctx, cookieID(cookie), r); err != nil {
		return "", err
	}
	m.replace(ctx, a.Replaces)
	return cookie, nil
}

// forget lets the answer to a login come again: reloading the page may still succeed.
func (m *Manager) forget(ctx context.Context, a attempt) {
	if err := m.store.unmark(context.WithoutCancel(ctx), a.ID); err != nil {
		m.log.WarnContext(ctx, "login cannot be repeated", "error", err.Error())
	}
}

// replace ends the session that a new login replaces. When that fails, it ends by itself like any that is left alone.
func (m *Manager) replace(ctx context.Context, id string) {
	if id == "" {
		return
	}
	old, err := m.store.load(ctx, id)
	if err == nil {
		err = m.end(ctx, id, old)
	}
	if err != nil && !errors.Is(err, errNoRecord) {
		m.log.WarnContext(ctx, "replaced session not ended", "error", err.Error())
	}
}

// forPeople turns an error into a visit of the application's page, which says it in words, when a person is looking:
// nobody should see raw JSON in a browser.
func (m *Manager) forPeople(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil || r.Context().Err() != nil || !byPerson(r) {
		return err
	}
	telemetry.EventFrom(r.Context()).Fail(err)
	redirect(w, m.app.Home+"?"+url.Values{"problem": {problem.From(err).Code}}.Encode())
	return nil
}

// byPerson reports whether the answer will be looked at.
func byPerson(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// knownErrors is what a provider may answer a login with (RFC 6749, OpenID Connect Core). Anything else is not
// repeated: the answer comes through the browser.
func knownErrors() []string {
	return []string{
		"access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required",
		"invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type", "server_error", "temporarily_unavailable",
	}
}

// declinedError is a provider that answers a login without a code.
type declinedError struct{ code string }

// Error says why, if the reason is a known one.
func (e declinedError) Error() string {
	if !slices.Contains(knownErrors(), e.code) {
		return "the provider answered without a code"
	}
	return "the provider answered " + e.code
}
