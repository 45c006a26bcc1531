package webapp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	"bff.internal/bff-web/internal/view"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/platform"
	"bff.internal/shared/realtime"
	"bff.internal/shared/session"
	"bff.internal/shared/web"
)

// hangUpWithin bounds what a logout waits for until the other replicas know.
const hangUpWithin = 120 * time.Millisecond

// newLive returns the sockets, which the sessions authenticate.
func newLive(cfg Config, sessions *session.Manager, p *platform.Platform) *realtime.Hub {
	return realtime.New(realtime.Options{
		RedisURL:  p.RedisURL,
		Redis:     p.Redis,
		Telemetry: p.Telemetry,
		Origins:   []string{cfg.Web.Origin()},
		Fail:      web.Fail,
		Session:   socketSession,
		Alive:     func(ctx context.Context, of realtime.Session) (bool, error) { return sessions.Alive(ctx, of.ID) },
		Draining:  p.Draining,
	})
}

// socketSession is who is behind a request to open a socket.
func socketSession(r *http.Request) (realtime.Session, bool) {
	current, ok := session.From(r.Context())
	return realtime.Session{User: current.User.ID, ID: current.ID, Expires: current.EndsAt}, ok
}

// newChanges is this process among the replicas that share the changes of orders.
func newChanges(p *platform.Platform) realtime.Consumer {
	host, _ := os.Hostname() // for people who look into Redis; the rest tells processes apart
	return realtime.Consumer{
		Redis: p.Redis, Stream: orders.ChangesStream, Group: "bff-web", Name: host + "-" + rand.Text(), Log: p.Telemetry.Log,
	}
}

// followOrders tells pages about every change of an order that falls to this replica, until ctx ends.
func (s *service) followOrders(ctx context.Context) error {
	return realtime.Consume(ctx, s.changes, s.publishOrder)
}

// publishOrder tells the pages of a user that an order has changed. The entry's id lets each page learn it once.
func (s *service) publishOrder(ctx context.Context, id string, values map[string]any) error {
	change, err := orders.ParseChange(values)
	if err != nil {
		return errors.Join(realtime.ErrPoison, err)
	}
	message, err := json.Marshal(view.NewOrderChange(change.Order))
	if err != nil {
		return errors.Join(realtime.ErrPoison, err)
	}
	return s.live.Publish(ctx, change.User, id, message)
}

// hangUp closes the sockets of a session that has ended.
func (s *service) hangUp(ctx context.Context, ended session.Session) {
	ctx, cancel := context.WithTimeout(ctx, hangUpWithin)
	defer cancel()
	if err := s.live.EndSession(ctx, ended.User.ID, ended.ID); err != nil {
		s.log.WarnContext(ctx, "sockets elsewhere stay open for up to a minute", "error", err.Error())
	}
}
