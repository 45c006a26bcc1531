package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// securityHeaders are on every answer; a handler may replace them, a page its policy for one.
func securityHeaders(cfg Config) http.Header {
	header := http.Header{
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Cache-Control":                noStore,
	}
	if cfg.ExternalURL.Scheme == "https" {
		header["Strict-Transport-Security"] = []string{"max-age=31536000; includeSubDomains"}
	}
	return header
}

func (s *Server) setHeaders(header http.Header, r *http.Request) {
	maps.Copy(header, s.headers)
	header["X-Request-Id"] = []string{telemetry.EventFrom(r.Context()).RequestID()}
}

// requestID is the caller's own, if it is harmless in a log and a header, or else that of the trace.
func requestID(ctx context.Context, r *http.Request) string {
	const longest = 64
	id := r.Header.Get("X-Request-Id")
	harmless := func(c rune) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("-_.:", c)
	}
	if id == "" || len(id) > longest || strings.ContainsFunc(id, func(c rune) bool { return !harmless(c) }) {
		return telemetry.TraceID(ctx)
	}
	return id
}

//nolint:gochecknoglobals // read-only
var (
	errPath = problem.New(http.StatusBadRequest, "invalid_path",
		"The path has a form that is not accepted: empty or dot segments, a backslash, a semicolon, or an encoded slash, backslash, semicolon, dot, percent sign or control character.")
	pathTricks = []string{"//", "\\", ";", "%3b", "%2f", "%5c", "%2e", "%25", "/./", "/../"}
)

// checkPath refuses paths that two readers could understand differently. Whatever passes means to everybody
// what it says, so it is matched as it stands.
func checkPath(u *url.URL) error {
	if !strings.HasPrefix(u.Path, "/") {
		return errPath
	}
	// EscapedPath alone would escape anew what was sent with a raw character in it: %2f as a plain slash.
	escaped := strings.ToLower(cmp.Or(u.RawPath, u.EscapedPath()))
	for _, trick := range pathTricks {
		if strings.Contains(escaped, trick) {
			return errPath
		}
	}
	if strings.HasSuffix(escaped, "/.") || strings.HasSuffix(escaped, "/..") {
		return errPath
	}
	if strings.ContainsFunc(u.Path, unicode.IsControl) {
		return errPath
	}
	return nil
}

// limitBody refuses a body that says it is too large, and ends one that turns out to be. The body of a GET or HEAD, which
// no handler reads, is read here: its size is judged all the same, and until it has been read net/http does not notice
// that a client left.
func limitBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return tooLarge
		}
		return problem.New(http.StatusBadRequest, "invalid_body", "The body could not be read.").Because(err)
	}
	return nil
}

// clientIP believes X-Forwarded-For only as far as the proxies that are configured.
func clientIP(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, proxy := range proxies {
		proxy = proxy.Masked()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP:   proxy.Addr().AsSlice(),
			Mask: net.CIDRMask(proxy.Bits(), proxy.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}
