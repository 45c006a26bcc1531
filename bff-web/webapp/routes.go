package webapp

import (
	"github.com/labstack/echo/v4"

	"bff.internal/bff-web/api"
	"bff.internal/bff-web/page"
	"bff.internal/shared/session"
	"bff.internal/shared/web"
)

// routes is everything that bff-web answers. Whatever trusts the session's cookie is for pages of this origin alone; the
// socket, which cannot carry the header for that, judges Origin itself.
func (s *service) routes(edge *web.Server, cfg Config) {
	own := session.SameOrigin(cfg.Web.Origin(), web.Fail)

	edge.GET("/web/dashboard", s.dashboard, own, s.sessions.Require)
	edge.GET("/api/dashboard", s.dashboard, own, s.sessions.Require)
	edge.GET("/web/session", s.session, own, s.sessions.Peek)
	edge.POST("/web/logout", web.Plain(s.sessions.Logout), own).NeverShed()
	edge.GETOnly("/web/ws", echo.WrapHandler(s.live), s.live.OwnPages, s.sessions.Peek)

	edge.GETOnly("/web/login", web.Plain(s.sessions.Login))
	edge.GETOnly("/web/callback", web.Plain(s.sessions.Callback))

	edge.GET("/web", page.Redirect)
	edge.GET("/web/", page.Index)
	edge.GET("/web/assets/:file", page.Asset)
	edge.GET("/web/openapi.yaml", web.Contract(api.Contract))
}
