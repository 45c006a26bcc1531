package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/telemetry"
)

// GET adds a route that answers GET, and HEAD likewise without a body. The middleware runs for this route
// alone, the first one outermost.
func (s *Server) GET(path string, handler echo.HandlerFunc, middleware ...Middleware) Added {
	return s.add(path, handler, middleware, http.MethodGet, http.MethodHead)
}

// GETOnly adds a route that answers GET and not HEAD, because asking does something.
func (s *Server) GETOnly(path string, handler echo.HandlerFunc, middleware ...Middleware) Added {
	return s.add(path, handler, middleware, http.MethodGet)
}

// POST adds a route that answers POST, with middleware like GET.
func (s *Server) POST(path string, handler echo.HandlerFunc, middleware ...Middleware) Added {
	return s.add(path, handler, middleware, http.MethodPost)
}

// Plain makes a handler of echo of one that is plain net/http, but for its error, which is answered by Fail.
func Plain(handle func(http.ResponseWriter, *http.Request) error) echo.HandlerFunc {
	return func(c echo.Context) error { return handle(c.Response(), c.Request()) }
}

func (s *Server) add(path string, handler echo.HandlerFunc, middleware []Middleware, methods ...string) Added {
	wrapped := make([]echo.MiddlewareFunc, 0, len(middleware)+1)
	wrapped = append(wrapped, routed)
	for _, m := range middleware {
		wrapped = append(wrapped, echo.WrapMiddleware(m))
	}
	added := Added{server: s}
	for _, method := range methods {
		s.echo.Add(method, path, handler, wrapped...)
		added.routes = append(added.routes, Route{Method: method, Path: path})
	}
	return added
}

// routed tells the event which route took the request; it knows the template, never what a caller chose.
// echo lets the last parameter of a template take in slashes and all that follows: here it is one segment.
func routed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		for i, value := range c.ParamValues() {
			if c.ParamNames()[i] != "*" && strings.Contains(value, "/") {
				return echo.ErrNotFound
			}
		}
		telemetry.EventFrom(c.Request().Context()).SetRoute(c.Path())
		return next(c)
	}
}

// Route is a method and the template of a path.
type Route struct{ Method, Path string }

// Routes returns every route, in no particular order.
func (s *Server) Routes() []Route {
	added := s.echo.Routes()
	routes := make([]Route, len(added))
	for i, route := range added {
		routes[i] = Route{Method: route.Method, Path: route.Path}
	}
	return routes
}
