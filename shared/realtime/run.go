package realtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// firstPause doubles up to longestPause between attempts to reach Redis at the start.
	firstPause   = 100 * time.Millisecond
	longestPause = time.Second

	// A dead connection to Redis is noticed within 2 x 400 ms (the library's pings) + redisWithin. No request waits
	// for these, and to give up a connection too early costs every subscription on it: so they are no 100 ms.
	redisDialWithin = 500 * time.Millisecond
	redisWithin     = 500 * time.Millisecond
)

// node is one life of the library below.
type node struct {
	centrifuge *centrifuge.Node
	sockets    http.Handler
	shard      *centrifuge.RedisShard
}

// Run opens the hub and serves until ctx ends. While Redis is away at the start it tries again every second or
// faster; later on, the connections to Redis come back by themselves and the sockets stay open meanwhile.
//
// When Draining is closed, sockets are told one after another to come back later (3001): 3 ms apart, and faster
// only if that would take more than 10 s. When ctx ends, those that are left have 2.5 s. Run takes at most about
// 4.5 s to return. The error is a RedisURL that is no URL.
func (h *Hub) Run(ctx context.Context) error {
	if u, err := url.Parse(h.opts.RedisURL.Reveal()); err != nil || u.Scheme == "" {
		return errors.New("REDIS_URL: is no URL") // and the error would quote it
	}
	n := h.openPatiently(ctx)
	if n == nil {
		return nil
	}
	defer n.close()

	var following sync.WaitGroup
	following.Go(func() { h.followEnded(ctx) })
	defer following.Wait()

	h.live.Store(n)
	defer h.live.Store(nil)
	select {
	case <-ctx.Done():
	case <-h.opts.Draining:
	}
	h.draining.Store(true)
	h.sendAway(ctx, n)
	<-ctx.Done()
	return nil
}

// openPatiently tries until Redis answers, or ctx ends: then it returns nil.
func (h *Hub) openPatiently(ctx context.Context) *node {
	trouble := trouble{log: h.opts.Telemetry.Log, what: "live updates: redis"}
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		n, err := h.open()
		if err == nil {
			trouble.over(ctx)
			return n
		}
		trouble.failed(ctx, err)
		sleep(ctx, pause)
	}
	return nil
}

func (h *Hub) open() (*node, error) {
	// The shard comes first: it is what fails while Redis is away, and a node is megabytes of locks.
	shard, err := centrifuge.NewRedisShard(nil, centrifuge.RedisShardConfig{
		Address:        h.opts.RedisURL.Reveal(),
		ConnectTimeout: redisDialWithin,
		IOTimeout:      redisWithin,
	})
	if err != nil {
		return nil, err
	}
	n := &node{shard: shard}
	if n.centrifuge, err = centrifuge.New(h.config()); err != nil {
		shard.Close()
		return nil, err
	}
	broker, err := centrifuge.NewRedisBroker(n.centrifuge, centrifuge.RedisBrokerConfig{
		Prefix: "live",
		Shards: []*centrifuge.RedisShard{shard},
	})
	if err == nil {
		n.centrifuge.SetController(broker)
		n.centrifuge.SetBroker(broker)
		h.handle(n.centrifuge)
		n.sockets = centrifuge.NewWebsocketHandler(n.centrifuge, socketConfig())
		err = n.centrifuge.Run()
	}
	if err == nil {
		// Run has tried to subscribe, and does not say whether it could.
		err = cmp.Or(broker.Subscribe(probe), broker.Unsubscribe(probe))
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("the library does not start: %w", err)
	}
	return n, nil
}

// probe is a channel to which nothing is sent.
const probe = "probe"

// close ends what is left of the sockets, those last told included.
func (n *node) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = n.centrifuge.Shutdown(ctx) // at worst, clients notice by themselves
	n.shard.Close()
}

func (h *Hub) config() centrifuge.Config {
	return centrifuge.Config{
		LogLevel:   libraryLevel(h.opts.Telemetry.Log),
		LogHandler: newLibraryLog(h.opts.Telemetry.Log).entry,
		Metrics: centrifuge.MetricsConfig{
			// Without a registry of its own a second node of a process would share the global one.
			RegistererGatherer: prometheus.NewRegistry(),
		},
		ClientStaleCloseDelay: connectWithin,
		ClientQueueMaxSize:    maxQueue,
		HistoryMetaTTL:        positionFor,
		// Presence is not kept, but by its clock the library compares each socket's position with its channel's.
		// UseSingleFlight would join those reads over all nodes of a process, whichever Redis they ask.
		ClientPresenceUpdateInterval:    positionEvery,
		ClientChannelPositionCheckDelay: positionEvery - time.Second, // in whole seconds, and it has to be more
	}
}

// positionEvery is how soon it is found out what a broken subscription has lost, when nothing comes after it
// that shows the gap. Each socket costs one small call to Redis as often.
const positionEvery = 6 * time.Second

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
