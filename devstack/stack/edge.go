package stack

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"bff.internal/shared/problem"
)

// edge is the single entry point: it sends requests on by the first segment of their path and rewrites
// nothing, so that each BFF judges what the client really sent. What is below /dev is for the dev stack's own handler.
// A deployment has Caddy or Kong in its place.
func edge(bffs map[string]*url.URL, dev http.Handler, log *slog.Logger) http.Handler {
	behind := make(map[string]http.Handler, len(bffs)+1)
	for prefix, target := range bffs {
		behind[prefix] = forward(target, log)
	}
	behind["dev"] = dev
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		if path == "/" {
			http.Redirect(w, r, "/web/", http.StatusFound)
			return
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if handler, ok := behind[first]; ok {
			handler.ServeHTTP(w, r)
			return
		}
		notFound(w)
	})
}

func forward(target *url.URL, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			// As they were sent, however odd: escaping anew could turn %2f into a slash, and the proxy would drop
			// parameters that it cannot parse.
			r.Out.URL.Opaque = cmp.Or(r.In.URL.RawPath, r.In.URL.EscapedPath())
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // the client left; returning would send an empty 200
			}
			log.WarnContext(r.Context(), "BFF not reached", "addr", target.Host, "error", err.Error())
			answer(w, problem.New(http.StatusBadGateway, "unreachable", "The BFF behind this path could not be reached."))
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func answer(w http.ResponseWriter, p *problem.Problem) {
	_ = p.Write(w) // the client may have left; there is nobody to tell
}

// notFound is what the edge says to a path that belongs to nobody.
func notFound(w http.ResponseWriter) {
	answer(w, problem.New(http.StatusNotFound, "not_found",
		"There is nothing here. The BFFs are below /mobile, /web, /api and /partner."))
}
