package realtime

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// endedStream is where the replicas tell each other which sessions have ended. Subscriptions of Redis would
	// lose what is said while one of them is cut; from a stream it is read when the connection is back.
	endedStream = "live:ended"
	// endedKept and endedFor bound the stream. A replica that was cut for longer finds out when it asks Alive.
	endedKept = 10_000
	endedFor  = 10 * time.Minute

	// waitFor is how long one read waits for something to come.
	waitFor = time.Second
	// lateBy is how much later than that an answer may come.
	lateBy = 500 * time.Millisecond
	// againAfter is the pause after Redis has failed.
	againAfter = 250 * time.Millisecond
)

// EndSession closes every socket of the session on every replica, with a code after which clients do not come
// back (4501), and refuses those it is about to open. Other sessions of the user keep theirs. The sockets of
// this replica are closed whatever the error, which says that the other replicas could not be told: they find
// out by Alive.
func (h *Hub) EndSession(ctx context.Context, user, sessionID string) error {
	h.end(Session{User: user, ID: sessionID})
	pipe := h.opts.Redis.Pipeline()
	pipe.XAdd(ctx, &redis.XAddArgs{
		Stream: endedStream, MaxLen: endedKept, Approx: true,
		Values: []string{"user", user, "session", sessionID},
	})
	pipe.Expire(ctx, endedStream, endedFor)
	_, err := pipe.Exec(ctx)
	return err
}

// end closes the session's sockets at this replica.
func (h *Hub) end(s Session) {
	h.ended.add(s, time.Now())
	n := h.live.Load()
	if n == nil {
		return
	}
	for _, client := range n.centrifuge.Hub().UserConnections(s.User) {
		if socketOf(client.Context()).session.ID == s.ID {
			client.Disconnect(errSessionEnded)
		}
	}
}

// followEnded ends the sessions that other replicas say have ended, until ctx ends. At the start and after a
// failure it reads again whatever there is: a session that has ended stays so, and the stream of a Redis that
// was replaced may count from anywhere.
func (h *Hub) followEnded(ctx context.Context) {
	trouble := trouble{log: h.opts.Telemetry.Log, what: "live updates: sessions that end elsewhere"}
	const all = "0"
	last := all
	for ctx.Err() == nil {
		entries, err := readWaiting(ctx, h.wait, func(ctx context.Context) ([]redis.XStream, error) {
			return h.opts.Redis.XRead(ctx, &redis.XReadArgs{Streams: []string{endedStream, last}, Count: 1000, Block: h.wait}).Result()
		})
		if err != nil {
			trouble.failed(ctx, err)
			last = all
			sleep(ctx, againAfter)
			continue
		}
		trouble.over(ctx)
		for _, entry := range entries {
			user, _ := entry.Values["user"].(string)
			id, _ := entry.Values["session"].(string)
			h.end(Session{User: user, ID: id})
			last = entry.ID
		}
	}
}

// readWaiting reads entries of one stream, and none when none came while it waited.
func readWaiting(ctx context.Context, wait time.Duration, read func(context.Context) ([]redis.XStream, error)) ([]redis.XMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+lateBy)
	defer cancel()
	streams, err := read(ctx)
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return streams[0].Messages, nil
}

// endings is the sessions that have ended lately, for sockets that were on their way meanwhile: between the
// middleware's look at the session and the connect command. The zero value knows of none.
type endings struct {
	mu       sync.Mutex
	sessions map[sessionName]time.Time
	swept    time.Time
}

type sessionName struct{ user, id string }

// endedLately is longer than any socket needs to connect.
const endedLately = time.Minute

func (e *endings) add(s Session, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sessions == nil {
		e.sessions = make(map[sessionName]time.Time)
	}
	if now.Sub(e.swept) > endedLately {
		for name, at := range e.sessions {
			if now.Sub(at) > endedLately {
				delete(e.sessions, name)
			}
		}
		e.swept = now
	}
	e.sessions[sessionName{s.User, s.ID}] = now
}

func (e *endings) has(s Session) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.sessions[sessionName{s.User, s.ID}]
	return ok
}
