package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"bff.internal/mockservices/identity"
)

// config is what the environment says.
type config struct {
	addresses     map[string]string // by the variable of the service
	issuer        string
	issuerURL     string
	partnerSecret string
	webSecret     string
	externalURL   string
	password      string
	redisURL      string // or empty
	logLevel      slog.Level
}

// variable is something that the environment can say.
type variable struct {
	name     string
	about    string
	fallback string // for the help, and the value when the variable is empty or not set
	set      func(cfg *config, value string) error
}

// variables is all that is read from the environment.
func variables() []variable {
	var all []variable
	for _, s := range services() {
		all = append(all, variable{s.variable, "where " + s.name + " listens", s.address, func(cfg *config, value string) error {
			cfg.addresses[s.variable] = value
			return checkAddress(value)
		}})
	}
	return append(all,
		variable{"ISSUER", "the issuer exactly as tokens name it", "http://localhost:9000", func(cfg *config, value string) error {
			cfg.issuer = value
			return checkIssuer(value)
		}},
		variable{"ISSUER_INTERNAL_URL", "where the issuer is reached from here", "ISSUER", func(cfg *config, value string) error {
			if value == "ISSUER" {
				cfg.issuerURL = cfg.issuer
				return nil
			}
			cfg.issuerURL = value
			return checkBaseURL(value)
		}},
		variable{
			"PARTNER_CLIENT_SECRET", "secret of the client bff-partner (the default is for a developer's machine only)",
			identity.DevPartnerSecret, func(cfg *config, value string) error {
				cfg.partnerSecret = value
				return checkSecret(value, leastSecret)
			},
		},
		variable{
			"WEB_CLIENT_SECRET", "secret of the client bff-web (the default is for a developer's machine only)",
			identity.DevWebSecret, func(cfg *config, value string) error {
				cfg.webSecret = value
				return checkSecret(value, leastSecret)
			},
		},
		variable{"EXTERNAL_URL", "where browsers find bff-web", identity.DevWebURL, func(cfg *config, value string) error {
			cfg.externalURL = value
			return checkBaseURL(value)
		}},
		variable{"DEMO_PASSWORD", "password of every user", identity.DevPassword, func(cfg *config, value string) error {
			cfg.password = value
			return checkSecret(value, leastPassword)
		}},
		variable{"REDIS_URL", "the Redis where changes of orders are told", noRedis, func(cfg *config, value string) error {
			if value == noRedis {
				return nil
			}
			cfg.redisURL = value
			return checkRedisURL(value)
		}},
		variable{"LOG_LEVEL", "debug, info, warn or error", "info", func(cfg *config, value string) error {
			return setLevel(&cfg.logLevel, value)
		}},
	)
}

// readConfig reads all variables, those of services that were not chosen too: what makes no sense is better known now.
// The error names every variable that is wrong and what it wants, one to a line.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	cfg := config{addresses: make(map[string]string)}
	var wrong error
	for _, v := range variables() {
		value, _ := lookup(v.name)
		if value == "" {
			value = v.fallback
		}
		if err := v.set(&cfg, value); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s wants %w", v.name, err))
		}
	}
	return cfg, wrong
}

func checkAddress(value string) error {
	_, port, err := net.SplitHostPort(value)
	if _, notPort := strconv.ParseUint(port, 10, 16); err != nil || notPort != nil {
		return fmt.Errorf("host:port such as 127.0.0.1:9000, not %q", value)
	}
	return nil
}

func checkBaseURL(value string) error {
	base, err := url.Parse(value)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Scheme+"://"+base.Host != value || base.Hostname() == "" {
		return fmt.Errorf("http:// or https:// and a host, with nothing after it, not %q", value)
	}
	return nil
}

// noRedis is the value of REDIS_URL when nobody is told.
const noRedis = "none"

// checkRedisURL does not repeat the value, for it may hold a password.
func checkRedisURL(value string) error {
	if _, err := redis.ParseURL(value); err != nil {
		return errors.New("redis:// or rediss:// and host:port, such as redis://localhost:6379")
	}
	return nil
}

func checkIssuer(value string) error {
	if err := checkBaseURL(value); err != nil {
		return err
	}
	if host, ok := strings.CutPrefix(value, "http://"); ok && !local(host) {
		return fmt.Errorf("https:// for a host that is not this machine, not %q", value)
	}
	return nil
}

func local(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// The fewest characters of a secret that programs keep, and of one that people type.
const (
	leastSecret   = 16
	leastPassword = 4
)

// checkSecret does not repeat the value: complaints end up in logs.
func checkSecret(value string, least int) error {
	if len(value) < least || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("at least %d visible ASCII characters", least)
	}
	return nil
}

func setLevel(level *slog.Level, value string) error {
	switch value {
	case "debug", "info", "warn", "error":
		return level.UnmarshalText([]byte(value))
	default:
		return fmt.Errorf("debug, info, warn or error, not %q", value)
	}
}
