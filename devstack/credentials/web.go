package credentials

import (
	"context"
	"net/url"
)

// sessionCookie is that of bff-web.
const sessionCookie = "__Host-session"

// SignIn signs the user in at bff-web as a browser would, page by page, and returns the cookie that a browser would
// have then, as it goes into the header Cookie.
func (h *Handler) SignIn(ctx context.Context, user string) (cookie string, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Within)
	defer cancel()
	v, begin, session := h.newVisitor(), h.cfg.Edge, ""
	begin.Path = "/web/login"
	_, err = v.signIn(ctx, &begin, h.login(user), func(page) bool {
		session = v.cookies[h.cfg.Edge.Host][sessionCookie]
		return session != ""
	})
	if err != nil {
		return "", err
	}
	return sessionCookie + "=" + session, nil
}

// login is what the user types into the login page.
func (h *Handler) login(user string) url.Values {
	return url.Values{"username": {user}, "password": {h.cfg.Password}}
}
