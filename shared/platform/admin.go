package platform

import (
	"fmt"
	"net/http"
	"net/http/pprof" // for its handlers; nothing serves http.DefaultServeMux, where it puts them too
	"strings"
)

// adminPaths is what the admin listener shows at its root.
const adminPaths = `/livez         200 while the process runs; it looks at nothing
/readyz        200; 503 while the service starts, and from the moment it drains
/metrics       for Prometheus
/debug/pprof/  profiles
`

// adminPage is a path of the admin listener that somebody else answers.
type adminPage struct {
	path, about string
	handler     http.Handler
}

// newAdmin makes the handler of the admin listener. Readiness depends on nothing that is shared: a Redis
// or a service that is away would take every replica out of rotation at once, and help nobody.
func newAdmin(metrics http.Handler, t *traffic, pages []adminPage) http.Handler {
	var contents strings.Builder
	contents.WriteString(adminPaths)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, contents.String()) })
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case t.draining.Load():
			say(w, http.StatusServiceUnavailable, "draining\n")
		case t.starting.Load():
			say(w, http.StatusServiceUnavailable, "starting\n")
		default:
			say(w, http.StatusOK, "ready\n")
		}
	})
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol) // go tool pprof posts the addresses
	for _, page := range pages {
		mux.Handle("GET "+page.path, page.handler)
		fmt.Fprintf(&contents, "%-14s %s\n", page.path, page.about)
	}
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
