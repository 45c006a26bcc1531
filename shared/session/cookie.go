package session

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

const (
	// cookieName has the prefix that lets no other host and no plain connection set the cookie.
	cookieName = "__Host-session"
	// bindingPrefix begins the names of the cookies that tie a login to the browser that began it. It is one
	// cookie, except for tabs that begin at the very same moment, before any of them has it.
	bindingPrefix = "__Host-login-"
	// referenceName is the cookie that names the session, sealed, and opens nothing. It is Lax: a login to which another
	// site has sent the browser sees it, and not the session's own.
	referenceName = "__Host-session-ref"
	idBytes       = 32
	maxBindings   = 128
)

// newID is 256 random bits, as a cookie holds them.
func newID() string {
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// isID reports whether the value is one that newID could have made.
func isID(value string) bool {
	if len(value) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(value)
	return err == nil
}

// cookieID is what the session of a cookie is called everywhere else.
func cookieID(cookie string) string { return hashed("cookie", cookie) }

// sessionCookie returns the session of the request's cookie. Two of them are none: the browser did not make that.
func sessionCookie(r *http.Request) (id string, ok bool) {
	ids := sessionCookies(r)
	if len(ids) != 1 || len(r.CookiesNamed(cookieName)) != 1 {
		return "", false
	}
	return ids[0], true
}

// sessionCookies returns the sessions of all cookies that name one.
func sessionCookies(r *http.Request) []string {
	var ids []string
	for _, cookie := range r.CookiesNamed(cookieName) {
		if isID(cookie.Value) {
			ids = append(ids, cookieID(cookie.Value))
		}
	}
	return ids
}

const referencePurpose = "session reference"

// setSession gives the browser its session.
func (m *Manager) setSession(w http.ResponseWriter, cookie string) {
	reference := m.logins.seal([]byte(cookieID(cookie)), referencePurpose)
	setCookie(w, cookieName, cookie, m.cfg.Lifetime, http.SameSiteStrictMode)
	setCookie(w, referenceName, base64.RawURLEncoding.EncodeToString(reference), m.cfg.Lifetime, http.SameSiteLaxMode)
}

// clearSession takes it back.
func clearSession(w http.ResponseWriter) {
	setCookie(w, cookieName, "", -time.Second, http.SameSiteStrictMode)
	setCookie(w, referenceName, "", -time.Second, http.SameSiteLaxMode)
}

// present returns the session that the browser has, whoever has sent it here; "" is none.
func (m *Manager) present(r *http.Request) string {
	if id, ok := sessionCookie(r); ok {
		return id
	}
	reference, err := r.Cookie(referenceName)
	if err != nil {
		return ""
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(reference.Value)
	if err != nil {
		return ""
	}
	id, err := m.logins.open(sealed, referencePurpose)
	if err != nil {
		return ""
	}
	return string(id)
}

// bindings returns the cookies that tie logins to this browser.
func bindings(r *http.Request) []*http.Cookie {
	var found []*http.Cookie
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, bindingPrefix) && isID(cookie.Value) && len(found) < maxBindings {
			found = append(found, cookie)
		}
	}
	return found
}

// setCookie sets a cookie for this host alone; one that lasts for less than no time is deleted.
func setCookie(w http.ResponseWriter, name, value string, lasts time.Duration, sameSite http.SameSite) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: it has them all, one of them from the caller
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: sameSite, MaxAge: int(lasts.Seconds()),
	})
}
