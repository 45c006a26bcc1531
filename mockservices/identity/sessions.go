package identity

import (
	"net/http"
	"strings"
	"time"
)

const (
	sessionCookie   = "identity_session"
	sessionLifetime = 12 * time.Hour
)

// session is a user who signed in with one browser. It ends by signing out; that it ran out only means that the next
// login asks for the password again.
type session struct {
	sid          string // as clients know it: never the cookie's value
	user         string
	confirmation string // what the page that asks whether to sign out sends along

	ended bool
}

// visit is a session as its browser finds it again. The zero value is nobody.
type visit struct {
	*session

	authTime time.Time
	expires  time.Time
}

// visit is what goes by the cookie's value; false when nobody is signed in.
func (m *memory) visit(cookie string) (visit, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lookUp(cookie)
}

func (m *memory) lookUp(cookie string) (visit, bool) {
	found, ok := m.visits.Get(cookie)
	if !ok || found.session == nil || found.ended || !time.Now().Before(found.expires) {
		return visit{}, false
	}
	return found, true
}

// signIn begins a visit of user and returns the new value of its cookie. The same user in the same browser stays in
// the same session, so that clients who know its sid can still end it.
func (m *memory) signIn(before, user string) (visit, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, cookie := time.Now(), secret()
	current, ok := m.lookUp(before)
	if !ok || current.user != user {
		current.session = &session{sid: secret(), user: user, confirmation: secret()}
		m.sessions.Put(current.sid, current.session)
	} else {
		m.visits.Put(before, visit{})
	}
	current.authTime, current.expires = now, now.Add(sessionLifetime)
	m.visits.Put(cookie, current)
	return current, cookie
}

// end signs out of the session, if there is one of that name, and takes with it every code and refresh token that
// came of it.
func (m *memory) end(sid string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if session, ok := m.sessions.Get(sid); ok {
		session.ended = true
	}
}

// visitor is whose browser sent r; false when nobody is signed in there.
func (p *Provider) visitor(r *http.Request) (visit, bool) {
	return p.memory.visit(cookieValue(r, sessionCookie))
}

func cookieValue(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie sets a cookie that scripts and other sites' requests do not get. No lifetime takes it away.
// Cookies of a host go to every port of it, so all names begin with "identity_".
func (p *Provider) setCookie(w http.ResponseWriter, name, path, value string, lifetime time.Duration) {
	age := int(lifetime.Seconds())
	if age <= 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // without TLS, as on a developer's machine, Secure would lose it
		Name:     name,
		Value:    value,
		Path:     path,
		MaxAge:   age,
		Secure:   strings.HasPrefix(p.issuer, "https://"),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}
