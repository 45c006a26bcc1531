package platform

import (
	"errors"
	"fmt"
	"net"
	"time"

	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
)

// Config is the part of a service's configuration that its platform needs. Load fills it from the
// environment; where it is filled by hand, zero means zero and not the default.
type Config struct {
	Addr         string        `env:"ADDR,required" help:"host:port where clients are served; without a host on every interface"`
	AdminAddr    string        `env:"ADMIN_ADDR,required" help:"host:port for probes, metrics and profiles, out of clients' reach; without a host on every interface"`
	RedisURL     secret.String `env:"REDIS_URL,required" help:"redis://[user:password@]host:port[/db], or rediss:// with TLS; redis+sentinel://host:port[/db]?sentinel_master_name=name&addr=host:port, or redis+cluster://host:port?addr=host:port"`
	DrainDelay   time.Duration `env:"DRAIN_DELAY" envDefault:"5s" help:"how long to go on serving after a stop signal, while /readyz already says 503 and balancers look elsewhere"`
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"25s" help:"how long after that the requests in flight may take before they are cut"`
	MaxBody      int64         `env:"MAX_BODY" envDefault:"1048576" help:"the largest body of a request, in bytes"`
	Telemetry    telemetry.Config
}

// largestMaxBody keeps the time that an upload may take within what a time.Duration holds.
const largestMaxBody = 1 << 30

// Validate names each variable that is wrong and what it wants, a line each. No secret is in it.
func (c Config) Validate() error {
	return errors.Join(
		checkAddr("ADDR", c.Addr),
		checkAddr("ADMIN_ADDR", c.AdminAddr),
		checkRedisURL(c.RedisURL),
		checkDuration("DRAIN_DELAY", c.DrainDelay),
		checkDuration("DRAIN_TIMEOUT", c.DrainTimeout),
		checkMaxBody(c.MaxBody),
		c.Telemetry.Validate(),
	)
}

func checkAddr(variable, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || !isPort(port) {
		return fmt.Errorf("%s: %q is no address to listen on; wants host:port, such as 127.0.0.1:8080 or :8080", variable, addr)
	}
	return nil
}

func checkRedisURL(url secret.String) error {
	if _, err := redisOptions(url.Reveal()); err != nil {
		return fmt.Errorf("REDIS_URL: %w; wants redis://[user:password@]host:port[/db] or one of the forms that --help shows", err)
	}
	return nil
}

func checkDuration(variable string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s: %v is negative; wants a duration such as 5s, or 0s", variable, d)
	}
	return nil
}

func checkMaxBody(bytes int64) error {
	if bytes < 1 || bytes > largestMaxBody {
		return fmt.Errorf("MAX_BODY: %d is out of range; wants bytes, from 1 to %d", bytes, largestMaxBody)
	}
	return nil
}
