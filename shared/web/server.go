package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// Config is the part of a BFF's configuration that its edge needs.
type Config struct {
	ExternalURL    url.URL        `env:"EXTERNAL_URL" envDefault:"http://localhost:8080" help:"how clients reach this BFF: the address of the edge"`
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES" help:"networks whose X-Forwarded-For counts, comma separated, such as 10.0.0.0/8; none without it"`
	MaxBody        int64          `env:"MAX_BODY" envDefault:"1048576" help:"the largest body of a request, in bytes"`
}

// Validate names the variable that is wrong and what it wants. MAX_BODY is judged by the platform, whose
// timeouts follow from it.
func (c Config) Validate() error {
	if u := c.ExternalURL; (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("EXTERNAL_URL: %q is no origin; wants scheme and host, such as https://api.example.com", u.Redacted())
	}
	return nil
}

// Origin is the external URL as browsers say it in the header Origin.
func (c Config) Origin() string {
	host := strings.ToLower(c.ExternalURL.Host)
	if port := c.ExternalURL.Port(); (c.ExternalURL.Scheme == "https" && port == "443") || (c.ExternalURL.Scheme == "http" && port == "80") {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return c.ExternalURL.Scheme + "://" + host
}

// Middleware is plain net/http middleware.
type Middleware = func(http.Handler) http.Handler

// Server is the edge of one BFF. Routes are added before it serves.
type Server struct {
	echo      *echo.Echo
	telemetry *telemetry.Telemetry
	headers   http.Header
	maxBody   int64
	clientIP  echo.IPExtractor
}

// New returns an edge without routes.
func New(cfg Config, t *telemetry.Telemetry) *Server {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { Fail(c.Response(), c.Request(), err) }
	s := &Server{echo: e, telemetry: t, headers: securityHeaders(cfg), maxBody: cfg.MaxBody, clientIP: clientIP(cfg.TrustedProxies)}
	e.IPExtractor = s.clientIP
	return s
}

// GET adds a route that answers GET, and HEAD likewise without a body. The middleware runs for this route
// alone, the first one outermost.
func (s *Server) GET(path string, handler echo.HandlerFunc, middleware ...Middleware) {
	s.add(http.MethodGet, path, handler, middleware)
	s.add(http.MethodHead, path, handler, middleware)
}

// GETOnly adds a route that answers GET and not HEAD, because asking does something.
func (s *Server) GETOnly(path string, handler echo.HandlerFunc, middleware ...Middleware) {
	s.add(http.MethodGet, path, handler, middleware)
}

// POST adds a route that answers POST, with middleware like GET.
func (s *Server) POST(path string, handler echo.HandlerFunc, middleware ...Middleware) {
	s.add(http.MethodPost, path, handler, middleware)
}

// Plain makes a handler of echo of one that is plain net/http, but for its error, which is answered by Fail.
func Plain(handle func(http.ResponseWriter, *http.Request) error) echo.HandlerFunc {
	return func(c echo.Context) error { return handle(c.Response(), c.Request()) }
}

func (s *Server) add(method, path string, handler echo.HandlerFunc, middleware []Middleware) {
	wrapped := make([]echo.MiddlewareFunc, 0, len(middleware)+1)
	wrapped = append(wrapped, routed)
	for _, m := range middleware {
		wrapped = append(wrapped, echo.WrapMiddleware(m))
	}
	s.echo.Add(method, path, handler, wrapped...)
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

// ServeHTTP answers a request, whatever happens meanwhile, and tells telemetry about it once. Where there is
// nobody to answer, or half an answer cannot be ended, it panics with http.ErrAbortHandler, as net/http wants.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	ctx, span := s.telemetry.Begin(r.Context(), r.Header, r.Method)
	event := telemetry.NewEvent(requestID(ctx, r))
	r = r.WithContext(telemetry.WithEvent(ctx, event))

	answer := &recorder{ResponseWriter: w}
	s.serve(answer, r)

	took := time.Since(begun)
	s.telemetry.Metrics.Request(r.Method, event.Route(), answer.status, took)
	for _, section := range event.Unavailable() {
		s.telemetry.Metrics.Unavailable(section.Name, section.Reason)
	}
	s.log(ctx, r, answer, event, took)
	end(span, r, answer, event)
	if answer.broken || answer.status == problem.StatusClientGone {
		// Otherwise the connection would end with half an answer that looks whole, or with an empty 200.
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) serve(w *recorder, r *http.Request) {
	defer func() {
		if thrown := recover(); thrown != nil {
			w.broken = w.status != 0
			Fail(w, r, fmt.Errorf("panic: %v\n%s", thrown, debug.Stack()))
		}
		w.finish()
	}()
	s.setHeaders(w.Header(), r)
	if err := checkPath(r.URL); err != nil {
		Fail(w, r, err)
		return
	}
	r.URL.RawPath = "" // or echo would match the escaped path, and hand it to handlers
	if err := limitBody(w.ResponseWriter, r, s.maxBody); err != nil {
		Fail(w, r, err)
		return
	}
	s.echo.ServeHTTP(w, r)
}
