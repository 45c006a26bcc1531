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
	idBytes       = 32
	maxBindings   = 32
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

// sessionCookie returns the one session cookie of the request. Two of them are none: the browser did not make that.
func sessionCookie(r *http.Request) (id string, ok bool) {
	cookies := r.CookiesNamed(cookieName)
	if len(cookies) != 1 || !isID(cookies[0].Value) {
		return "", false
	}
	return cookieID(cookies[0].Value), true
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

func clearCookie(w http.ResponseWriter) {
	setCookie(w, cookieName, "", -time.Second, http.SameSiteStrictMode)
}
