package overload

import "fmt"

const (
	// defaultInFlight bounds the memory: a request needs about 100 KiB with all of its calls.
	defaultInFlight = 1024
	largestInFlight = 1_000_000
)

// Config is the part of a BFF's configuration that bounds what it does at the same time.
type Config struct {
	// MaxInFlight is never exceeded; the limit may be lower. 0 is the default where Go code makes the Config.
	MaxInFlight int `env:"MAX_IN_FLIGHT" envDefault:"1024" help:"how many requests may be in flight at most; one caller gets half of them at most, and all get fewer while the CPUs cannot keep up"`
	// Off lets everything in. No variable sets it: it is for comparisons.
	Off bool
}

// Validate names the variable that is wrong and what it wants.
func (c Config) Validate() error {
	if c.MaxInFlight < 1 || c.MaxInFlight > largestInFlight {
		return fmt.Errorf("MAX_IN_FLIGHT: %d is out of range; wants requests, from 1 to %d", c.MaxInFlight, largestInFlight)
	}
	return nil
}
