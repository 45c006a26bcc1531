package upstream

import "errors"

const (
	defaultMaxInFlight = 256
	defaultMaxWaiting  = 1024
)

// Policy bounds the calls to each service of a BFF.
type Policy struct {
	MaxInFlight int `env:"UPSTREAM_MAX_IN_FLIGHT" envDefault:"256" help:"calls in flight to one service at most; fewer while that makes the service slower"`
	MaxWaiting  int `env:"UPSTREAM_MAX_WAITING" envDefault:"1024" help:"calls waiting for their turn at one service at most; more are shed"`

	// Without leaves layers out, to price them and to compare with them. There is no variable for it.
	Without Layers
}

// Layers names layers of the stack that can be left out.
type Layers struct{ Shed, Retry, Hedge, Eject, Break bool }

// Validate names the variable that is wrong and what it wants.
func (p Policy) Validate() error {
	switch {
	case p.MaxInFlight < 1:
		return errors.New("UPSTREAM_MAX_IN_FLIGHT: wants at least 1")
	case p.MaxWaiting < 0:
		return errors.New("UPSTREAM_MAX_WAITING: wants at least 0")
	}
	return nil
}
