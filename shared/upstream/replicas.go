package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Replicas are the base URLs of one service, any of which can serve any request.
type Replicas []*url.URL

// UnmarshalText reads comma separated base URLs, as the *_URLS variables hold them.
func (r *Replicas) UnmarshalText(text []byte) error {
	var replicas Replicas
	seen := map[string]bool{}
	for part := range strings.SplitSeq(string(text), ",") {
		replica, err := parseReplica(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		at := whereabouts(replica)
		if seen[at] {
			return fmt.Errorf("%q is there twice", replica.Host)
		}
		seen[at] = true
		replicas = append(replicas, replica)
	}
	if len(replicas) > maxReplicas {
		return fmt.Errorf("%d are too many; wants at most %d", len(replicas), maxReplicas)
	}
	*r = replicas
	return nil
}

// String is the text that UnmarshalText reads.
func (r Replicas) String() string {
	texts := make([]string, len(r))
	for i, replica := range r {
		texts[i] = replica.String()
	}
	return strings.Join(texts, ",")
}

var (
	errBaseURL  = errors.New("is no base URL; it looks like http://users:9001")
	errUserinfo = errors.New("a base URL carries a user or a password; services are called with the caller's token")
)

func parseReplica(text string) (*url.URL, error) {
	replica, err := url.Parse(text)
	switch {
	case err == nil && replica.User != nil:
		return nil, errUserinfo // never quoted: it is a secret
	case err != nil, replica.Hostname() == "",
		replica.Scheme != "http" && replica.Scheme != "https",
		replica.RawPath != "", strings.Contains(replica.Path+"/", "/../"), strings.Contains(replica.Path+"/", "/./"), replica.ForceQuery, replica.RawQuery != "", replica.Fragment != "", !isPort(replica.Port()):
		return nil, fmt.Errorf("%q %w", text, errBaseURL)
	}
	replica.Path = strings.TrimRight(replica.Path, "/")
	return replica, nil
}

// isPort also takes none, which means that of the scheme.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || (err == nil && port > 0)
}

// whereabouts is the same for two spellings of one host and port.
func whereabouts(replica *url.URL) string {
	host, port := strings.ToLower(replica.Hostname()), replica.Port()
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[replica.Scheme]
	}
	return net.JoinHostPort(host, port)
}
