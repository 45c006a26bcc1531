package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"

	"bff.internal/shared/problem"
)

// edge is the single entry point: it sends requests on by the first segment of their path and rewrites
// nothing, so that each BFF judges what the client really sent. A deployment has Caddy or Kong in its place.
func edge(bffs map[string]*url.URL, own http.Handler, log *slog.Logger) http.Handler {
	proxies := make(map[string]http.Handler, len(bffs))
	for prefix, target := range bffs {
		proxies[prefix] = forward(target, log)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		if path == "/" {
			http.Redirect(w, r, "/web/", http.StatusFound)
			return
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if bff, ok := proxies[first]; ok {
			bff.ServeHTTP(w, r)
			return
		}
		own.ServeHTTP(w, r)
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
func notFound(w http.ResponseWriter, _ *http.Request) {
	answer(w, problem.New(http.StatusNotFound, "not_found",
		"There is nothing here. The BFFs are below /mobile, /web, /api and /partner."))
}

// ownRoutes are the routes of the dev stack itself, by exact path.
func ownRoutes(routes map[string]func(context.Context, url.Values) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, ok := routes[r.URL.Path]
		if !ok {
			notFound(w, r)
			return
		}
		if !local(r.Host) {
			answer(w, problem.New(http.StatusMisdirectedRequest, "wrong_host", "This path answers to localhost or an address."))
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			answer(w, problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This path answers GET.").With("Allow", "GET, HEAD"))
			return
		}
		value, err := route(r.Context(), r.URL.Query())
		if err != nil {
			answer(w, problem.From(err))
			return
		}
		body, err := json.Marshal(value)
		if err != nil {
			answer(w, problem.From(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(body, '\n')) // the client may have left; there is nobody to tell
	})
}

// local refuses names that somebody could point here: a page of theirs would read the answer (DNS rebinding).
func local(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	_, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil
}
