package realtime

import (
	"context"
	"time"
)

// shortly is how long tests have a read wait for something to come.
const shortly = 50 * time.Millisecond

// StopSoon makes the hub stop without waiting for long.
func (h *Hub) StopSoon() { h.wait = shortly }

// CheckEvery makes the hub ask about sessions so often; at least two seconds.
func (h *Hub) CheckEvery(d time.Duration) { h.alive.every = d }

// Running reports whether the hub takes sockets.
func (h *Hub) Running() bool { return h.live.Load() != nil }

// Sockets is how many sockets the user has here.
func (h *Hub) Sockets(user string) int {
	h.users.mu.Lock()
	defer h.users.mu.Unlock()
	return h.users.users[user]
}

// Clients is how many sockets have connected.
func (h *Hub) Clients() int { return h.live.Load().centrifuge.Hub().NumClients() }

// ConsumeWith is Consume that claims after so long.
func ConsumeWith(ctx context.Context, c Consumer, claimAfter time.Duration, handle func(context.Context, string, map[string]any) error) {
	r := &consuming{Consumer: c, handle: handle, times: times{wait: shortly, claimAfter: claimAfter, claimEvery: claimAfter / 2, sweepEvery: time.Minute}, since: "$"}
	r.run(ctx)
}
