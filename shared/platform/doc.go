// Package platform is what a process opens once and closes: its configuration, log and telemetry, Redis,
// the transport to other services, background work, and the listeners that serve, drain and stop.
//
// A binary is Main around Open, the service's own constructor, and Serve; the example shows it whole. All
// that belongs to a process alone (arguments, environment, signals, the exit status, the log of go-redis)
// is in Main, Command and Environment. Everything else is plain values, so that one process can hold several platforms.
//
// A stop takes at most DRAIN_DELAY + DRAIN_TIMEOUT + 10 s, and usually as long as DRAIN_DELAY and the
// slowest request in flight: give the process that long before it is killed.
package platform
