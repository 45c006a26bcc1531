package web

import (
	"net/http"
	"strings"

	"bff.internal/shared/overload"
	"bff.internal/shared/telemetry"
)

// Added is a route as it was added, or a GET and its HEAD, so that more can be said about it.
type Added struct {
	server *Server
	routes []Route
}

// NeverShed lets in whoever asks for the route, however much there is to do, and does not count it: for what is asked for
// seldom and makes no sense later. It is this method and this very path; a path with parameters, which would be as
// many as somebody makes up, panics.
func (a Added) NeverShed() {
	for _, route := range a.routes {
		if strings.ContainsAny(route.Path, ":*") {
			panic("web: " + route.Path + " is more than one path")
		}
		a.server.neverShed[route] = true
	}
}

// admit takes a place for the request, before anything is spent on it. The path has been checked, so that
// it is what echo will match.
func (s *Server) admit(w *recorder, r *http.Request) error {
	if s.neverShed[Route{Method: r.Method, Path: r.URL.Path}] {
		return nil
	}
	slot, refusal := s.limit.Admit(r)
	if refusal != nil {
		w.shed = true
		if r.Body != http.NoBody {
			// Otherwise net/http would wait for up to 256 KiB of the body before it answers. Where that cannot be
			// said, nobody waits.
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
		return refusal
	}
	w.slot = slot
	return nil
}

// learn tells the limit who was behind a credential, once somebody has accepted it.
func learn(slot *overload.Slot, event *telemetry.Event) {
	if !slot.Unconfirmed() {
		return
	}
	if caller := event.Caller(); caller.Kind != "" {
		slot.Confirm(caller.Kind + " " + caller.ID)
	}
}
