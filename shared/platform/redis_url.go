package platform

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// redisOptions reads REDIS_URL. Its forms are those that the broker of the real-time library reads too,
// for it is given the same URL. Errors quote nothing: any part of a mistyped URL may be its password.
func redisOptions(raw string) (*redis.UniversalOptions, error) {
	if raw == "" {
		return nil, errors.New("is not set")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Fragment != "" {
		return nil, errors.New("is no URL (special characters in a password are written like %40)")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("has a malformed query")
	}
	options := tunedRedis()
	options.Addrs = append([]string{u.Host}, query["addr"]...)
	err = cmp.Or(
		setKind(options, u.Scheme, query),
		checkNodes(options.Addrs),
		setDatabase(options, u.Path),
		setUser(options, u.User),
	)
	if err != nil {
		return nil, err
	}
	return options, nil
}

func setKind(options *redis.UniversalOptions, scheme string, query url.Values) error {
	var takes []string
	switch scheme {
	case "redis", "rediss":
	case "redis+sentinel", "rediss+sentinel":
		takes = []string{"addr", "sentinel_master_name", "sentinel_user", "sentinel_password"}
		options.MasterName = query.Get("sentinel_master_name")
		options.SentinelUsername = query.Get("sentinel_user")
		options.SentinelPassword = query.Get("sentinel_password")
		if options.MasterName == "" {
			return errors.New("has no sentinel_master_name")
		}
	case "redis+cluster":
		takes = []string{"addr", "tls_enabled"} // the broker knows no rediss+cluster
		options.IsClusterMode = true
	default:
		return errors.New("has an unknown scheme")
	}
	for name, values := range query {
		if !slices.Contains(takes, name) || (len(values) > 1 && name != "addr") {
			return errors.New("has a parameter that is unknown or there twice; its form takes " + cmp.Or(strings.Join(takes, ", "), "none"))
		}
	}
	return setTLS(options, strings.HasPrefix(scheme, "rediss"), query.Get("tls_enabled"))
}

func setTLS(options *redis.UniversalOptions, encrypted bool, enabled string) error {
	switch enabled {
	case "true":
		encrypted = true
	case "", "false":
	default:
		return errors.New("has a tls_enabled that is neither true nor false")
	}
	if encrypted {
		// Without a ServerName each node is verified by the name under which it is dialled.
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return nil
}

func checkNodes(addrs []string) error {
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(addr)
		if err != nil || host == "" || !isPort(port) {
			return errors.New("has an address that is not host:port")
		}
	}
	return nil
}

func setDatabase(options *redis.UniversalOptions, path string) error {
	if path == "" {
		return nil
	}
	number, err := strconv.ParseUint(strings.TrimPrefix(path, "/"), 10, 16)
	if err != nil {
		return errors.New("has a path that is no number of a database")
	}
	if options.IsClusterMode && number != 0 {
		return errors.New("names a database, and a cluster has but one")
	}
	options.DB = int(number)
	return nil
}

func setUser(options *redis.UniversalOptions, user *url.Userinfo) error {
	options.Username = user.Username()
	options.Password, _ = user.Password()
	if user != nil && options.Password == "" {
		return errors.New("has a user without a password")
	}
	return nil
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
