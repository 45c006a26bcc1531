package webapp

import (
	"github.com/labstack/echo/v4"

	"bff.internal/bff-web/internal/view"
	"bff.internal/shared/session"
	"bff.internal/shared/web"
)

// session says who is signed in, and until when.
func (s *service) session(c echo.Context) error {
	current, _ := session.From(c.Request().Context()) // or the middleware would have refused
	return web.OK(c, view.Session{
		User:      view.SessionUser{ID: current.User.ID, Name: current.User.Name},
		ExpiresAt: current.ExpiresAt,
		EndsAt:    current.EndsAt,
	})
}
