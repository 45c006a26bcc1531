package rig

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// Socket is an open WebSocket. It answers no pings, so it lasts for seconds only.
type Socket struct{ conn *websocket.Conn }

// OpenSocket opens a socket of the BFF at the site, and returns when it is told what changes. The caller closes it.
func (r *Rig) OpenSocket(ctx context.Context, b BFF, caller http.Header) (*Socket, error) {
	header := http.Header{"Cookie": caller["Cookie"], "Origin": {r.site().String()}}
	var conn *websocket.Conn
	var failure error
	err := WaitUntil(ctx, "a socket opens", func(ctx context.Context) bool {
		var resp *http.Response
		conn, resp, failure = websocket.Dial(ctx, "ws://"+r.Site+b.Socket, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the library closes it
		// Sockets are there a moment after everything else.
		return failure == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"id":1,"connect":{}}`)); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	_, reply, err := conn.Read(ctx)
	if err == nil && !strings.Contains(string(reply), `"personal:#`) {
		err = fmt.Errorf("connecting is answered %s", reply)
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("socket: %w", err)
	}
	return &Socket{conn}, nil
}

// CloseCode reads until the socket ends and returns the code that it was closed with: -1 when its connection broke
// without a word, or when nothing happened for 30 s.
func (s *Socket) CloseCode(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, happensWithin)
	defer cancel()
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			return int(websocket.CloseStatus(err))
		}
	}
}

// Close ends the socket if it is still there.
func (s *Socket) Close() { _ = s.conn.CloseNow() }
