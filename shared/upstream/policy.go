package upstream

import (
	"errors"
	"fmt"
)

const (
	defaultMaxInFlight = 256
	defaultMaxWaiting  = 1024
	defaultCacheBytes  = 16 << 20
)

// Policy bounds the calls to each service of a BFF. MaxInFlight 0 means the defaults of both bounds.
type Policy struct {
	MaxInFlight int `env:"UPSTREAM_MAX_IN_FLIGHT" envDefault:"256" help:"calls of this process in flight to one service at most; fewer while that makes the service slower"`
	MaxWaiting  int `env:"UPSTREAM_MAX_WAITING" envDefault:"1024" help:"calls waiting for their turn at one service at most; more are shed"`
	CacheBytes  int `env:"CACHE_BYTES" envDefault:"16777216" help:"memory for answers of services, kept for the same caller as long as the services allow it, in bytes; with 0 every request makes calls of its own"`

	// Without leaves layers out, to price them and to compare with them. There is no variable for it.
	Without Layers
}

// Layers names layers of the stack that can be left out. Without Retry, net/http repeats what it wants.
type Layers struct{ Cache, Coalesce, Shed, Retry, Hedge, Eject, Break bool }

// Validate names the variable that is wrong and what it wants.
func (p Policy) Validate() error {
	const most = 1_000_000
	var inFlight, waiting, bytes error
	if p.MaxInFlight < 1 || p.MaxInFlight > most {
		inFlight = fmt.Errorf("UPSTREAM_MAX_IN_FLIGHT: %d is out of range; wants calls, from 1 to %d", p.MaxInFlight, most)
	}
	if p.MaxWaiting < 0 || p.MaxWaiting > most {
		waiting = fmt.Errorf("UPSTREAM_MAX_WAITING: %d is out of range; wants calls, from 0 to %d", p.MaxWaiting, most)
	}
	if p.CacheBytes < 0 {
		bytes = fmt.Errorf("CACHE_BYTES: %d is out of range; wants bytes, such as 16777216, or 0 for no cache", p.CacheBytes)
	}
	return errors.Join(inFlight, waiting, bytes)
}
