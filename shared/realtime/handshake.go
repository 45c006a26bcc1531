package realtime

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"bff.internal/shared/problem"
)

// subprotocol is the one that the library's clients ask for, or they ask for none, which means the same.
const subprotocol = "centrifuge-json"

var (
	errOrigin = problem.New(http.StatusForbidden, "origin",
		"The header Origin does not name a page that may open a socket here.")
	errNoUpgrade = problem.New(http.StatusUpgradeRequired, "upgrade_required",
		"This address speaks WebSocket (RFC 6455) alone.").With("Upgrade", "websocket")
	errVersion = problem.New(http.StatusUpgradeRequired, "upgrade_required",
		"Of the WebSocket protocol, version 13 is spoken here (RFC 6455).").With("Upgrade", "websocket")
	errHandshake = problem.New(http.StatusBadRequest, "invalid_handshake",
		"A WebSocket begins with GET and one Sec-WebSocket-Key of 16 bytes in base64 (RFC 6455).")
	errNoSession = problem.New(http.StatusUnauthorized, "session_required",
		"A session is required.").With("WWW-Authenticate", "Cookie")
	errTooMany = problem.New(http.StatusTooManyRequests, "too_many_sockets",
		"There are too many sockets of this user.").RetryAfter(connectWithin)
)

// ServeHTTP makes the request a socket and returns; the socket lives on. What does not become one is answered
// with a problem: 403 origin before all else, 426 upgrade_required, 400 invalid_handshake, 503 live_unavailable
// while the hub does not run or drains, 401 session_required, 429 too_many_sockets. A user's sockets beyond
// 20 at this replica are opened to be told so (3504), and beyond 40 not even that.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, s, err := h.admit(w.Header(), r)
	if err != nil {
		h.opts.Fail(w, r, err)
		return
	}
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.release()
		h.opts.Fail(w, r, err)
		return
	}
	conn = &connection{Conn: conn, socket: s, closed: make(chan struct{})}
	n.sockets.ServeHTTP(&hijacked{conn: conn, buffer: buffer, header: http.Header{}}, bare(r, s))
}

// admit judges the request. Whoever gets the socket releases it.
func (h *Hub) admit(header http.Header, r *http.Request) (*node, *socket, error) {
	if !h.ownPage(r) {
		return nil, nil, errOrigin
	}
	if err := checkHandshake(r); err != nil {
		if err.Status == http.StatusUpgradeRequired {
			header.Add("Connection", "Upgrade") // beside what the server may have set
			header.Set("Sec-WebSocket-Version", "13")
		}
		return nil, nil, err
	}
	n := h.live.Load()
	if n == nil || h.draining.Load() {
		return nil, nil, ErrUnavailable
	}
	session, ok := h.opts.Session(r)
	if !ok || session.User == "" {
		return nil, nil, errNoSession
	}
	already := h.users.add(session.User)
	s := &socket{
		session:  session,
		surplus:  already >= h.most,
		release:  func() { h.users.remove(session.User) },
		commands: newBucket(commandsPerSecond, commandBurst),
		frames:   newBucket(framesPerSecond, frameBurst),
	}
	if already >= 2*h.most {
		s.release()
		return nil, nil, errTooMany
	}
	return n, s, nil
}

// checkHandshake refuses all that the library would refuse, in ways of its own.
func checkHandshake(r *http.Request) *problem.Problem {
	if r.ProtoMajor != 1 || !lists(r.Header.Values("Connection"), "upgrade") || !lists(r.Header.Values("Upgrade"), "websocket") {
		return errNoUpgrade
	}
	if versions := r.Header.Values("Sec-Websocket-Version"); len(versions) != 1 || versions[0] != "13" {
		return errVersion
	}
	keys := r.Header.Values("Sec-Websocket-Key")
	if r.Method != http.MethodGet || len(keys) != 1 {
		return errHandshake
	}
	if key, err := base64.StdEncoding.Strict().DecodeString(keys[0]); err != nil || len(key) != 16 {
		return errHandshake
	}
	return nil
}

// lists reports whether a comma-separated header names the token.
func lists(values []string, token string) bool {
	for candidate := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.Trim(candidate, " \t"), token) {
			return true
		}
	}
	return false
}

// bare is the request as the library needs it. It keeps it, and the context, as long as the socket lives, so
// the rest of the request must not hang on them; and its query would choose options of the protocol.
func bare(r *http.Request, s *socket) *http.Request {
	header := http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {strings.Clone(r.Header.Get("Sec-Websocket-Key"))},
	}
	if lists(r.Header.Values("Sec-Websocket-Protocol"), subprotocol) {
		header["Sec-Websocket-Protocol"] = []string{subprotocol}
	}
	request := &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return request.WithContext(context.WithValue(context.Background(), socketKey{}, s))
}
