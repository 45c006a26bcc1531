package realtime

import (
	"net/http"
	"slices"
)

// OwnPages returns a middleware for the hub's route that refuses pages of other origins, so that this is judged before
// anybody looks at the cookie: 403 origin unless there is exactly one Origin, one of Options.Origins.
func (h *Hub) OwnPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.ownPage(r) {
			h.opts.Fail(w, r, errOrigin)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Hub) ownPage(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return len(origins) == 1 && slices.Contains(h.opts.Origins, origins[0])
}
