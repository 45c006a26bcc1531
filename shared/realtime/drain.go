package realtime

import (
	"context"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	// apart is the time between two sockets that are sent away: 2,000 take 6 s.
	apart = 3 * time.Millisecond
	// drainWithin bounds the whole of it.
	drainWithin = 10 * time.Second
	// stopWithin is what remains of it once the process stops.
	stopWithin = 2500 * time.Millisecond
)

// sendAway tells the sockets to come back later, one after another, so that the other replicas do not get them
// all at once.
func (h *Hub) sendAway(ctx context.Context, n *node) {
	clients := n.centrifuge.Hub().Connections()
	left, deadline, stopping := len(clients), time.Now().Add(drainWithin), false
	for _, client := range clients {
		client.Disconnect(centrifuge.DisconnectShutdown)
		if left--; left == 0 {
			return
		}
		if !stopping && ctx.Err() != nil {
			stopping = true
			deadline = earlier(deadline, time.Now().Add(stopWithin))
		}
		time.Sleep(min(apart, time.Until(deadline)/time.Duration(left)))
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
