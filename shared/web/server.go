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

	"bff.internal/shared/overload"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// Config is the part of a BFF's configuration that its edge needs.
type Config struct {
	ExternalURL    url.URL        `env:"EXTERNAL_URL" envDefault:"http://localhost:8080" help:"how clients reach this BFF: the address of the edge"`
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES" help:"networks whose X-Forwarded-For counts, comma separated, such as 10.0.0.0/8; none without it"`
	MaxBody        int64          `env:"MAX_BODY" envDefault:"1048576" help:"the largest body of a request, in bytes"`
	Overload       overload.Config
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
	coder     *coder
	telemetry *telemetry.Telemetry
	headers   http.Header
	maxBody   int64
	clientIP  echo.IPExtractor
	limit     *overload.Limiter
	neverShed map[Route]bool
}

// New returns an edge without routes.
func New(cfg Config, t *telemetry.Telemetry) *Server {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { Fail(c.Response(), c.Request(), err) }
	s := &Server{echo: e, coder: newCoder(), telemetry: t, headers: securityHeaders(cfg), maxBody: cfg.MaxBody, clientIP: clientIP(cfg.TrustedProxies)}
	e.IPExtractor = s.clientIP
	s.limit = overload.New(cfg.Overload, overload.Deps{Metrics: t.Metrics, Address: s.clientIP})
	s.neverShed = map[Route]bool{}
	return s
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
	learn(&answer.slot, event)

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
	defer w.slot.Release()
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
	if err := s.admit(w, r); err != nil {
		Fail(w, r, err)
		return
	}
	r.URL.RawPath = "" // or echo would match the escaped path, and hand it to handlers
	if err := limitBody(w.ResponseWriter, r, s.maxBody); err != nil {
		Fail(w, r, err)
		return
	}
	s.route(w, r)
}
