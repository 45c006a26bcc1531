package realtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/centrifugal/centrifuge"
)

// What a socket is told at its end; doc.go says what clients make of it.
var (
	errSessionEnded    = centrifuge.Disconnect{Code: 4501, Reason: "session ended"}
	errTooManyMessages = centrifuge.Disconnect{Code: 4502, Reason: "too many messages"}
)

// handle says how the library treats clients. What has no handler here is refused.
func (h *Hub) handle(n *centrifuge.Node) {
	n.OnConnecting(h.connecting)
	n.OnConnect(h.connected)
	n.OnCommandRead(func(client *centrifuge.Client, _ centrifuge.CommandReadEvent) error {
		if !socketOf(client.Context()).commands.take(1) {
			return errTooManyMessages
		}
		return nil
	})
}

// connecting answers a connect command. Its token and its data are nobody's: the session came with the request.
func (h *Hub) connecting(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	s := socketOf(ctx)
	switch {
	case h.draining.Load():
		return centrifuge.ConnectReply{}, centrifuge.DisconnectShutdown
	case s.surplus:
		return centrifuge.ConnectReply{}, centrifuge.DisconnectConnectionLimit
	case s.session.over(time.Now()) || h.ended.has(s.session):
		return centrifuge.ConnectReply{}, errSessionEnded
	}
	return centrifuge.ConnectReply{
		Credentials: &centrifuge.Credentials{UserID: s.session.User, ExpireAt: h.nextCheck(s.session)},
		Subscriptions: map[string]centrifuge.SubscribeOptions{
			personal(s.session.User): {EnableRecovery: true, EnablePositioning: true},
		},
	}, nil
}

// connected runs once the client is among those of the node. Whoever ends a session notes that first and looks
// for its clients then, so between the two no socket is missed.
func (h *Hub) connected(client *centrifuge.Client) {
	s := socketOf(client.Context())
	s.client.Store(client)
	client.OnRefresh(func(_ centrifuge.RefreshEvent, reply centrifuge.RefreshCallback) { reply(h.refresh(s.session)) })
	switch {
	case h.ended.has(s.session):
		client.Disconnect(errSessionEnded)
	case h.draining.Load():
		client.Disconnect(centrifuge.DisconnectShutdown)
	}
}

// refresh is asked when nextCheck has come.
func (h *Hub) refresh(s Session) (centrifuge.RefreshReply, error) {
	if s.over(time.Now()) {
		return centrifuge.RefreshReply{}, errSessionEnded
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.alive.within)
	defer cancel()
	if h.endedMeanwhile(ctx, s) {
		return centrifuge.RefreshReply{}, errSessionEnded
	}
	return centrifuge.RefreshReply{ExpireAt: h.nextCheck(s)}, nil
}

// endedMeanwhile is sure about it. The library calls from goroutines of its own, where a panic would end the process.
func (h *Hub) endedMeanwhile(ctx context.Context, s Session) (ended bool) {
	defer func() {
		if thrown := recover(); thrown != nil {
			h.opts.Telemetry.Log.ErrorContext(ctx, "live updates: panic", "error", fmt.Sprint(thrown), "stack", string(debug.Stack()))
		}
	}()
	alive, err := h.opts.Alive(ctx, s)
	return err == nil && !alive
}

// nextCheck is when to look at a session again, in whole seconds as the library has it: at random in the last
// half of the interval, so that sockets which came together are not asked about together, and when it expires.
func (h *Hub) nextCheck(s Session) int64 {
	half := h.alive.every / 2
	next := time.Now().Add(half + rand.N(half+1)) //nolint:gosec // spreads load, keeps no secret
	if !s.Expires.IsZero() {
		next = earlier(next, s.Expires)
	}
	return next.Add(time.Second - 1).Unix()
}

// over reports whether the session has expired.
func (s Session) over(now time.Time) bool { return !s.Expires.IsZero() && !now.Before(s.Expires) }
