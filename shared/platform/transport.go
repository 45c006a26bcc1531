package platform

import (
	"net"
	"net/http"
	"time"
)

// newTransport makes the one transport for all calls to other services. It bounds what a call may not
// decide; how long an answer may take is for the deadline of the call's context.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 500 * time.Millisecond, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   time.Second,
		ExpectContinueTimeout: time.Second,

		// HTTP/2 where TLS negotiates it; http:// stays HTTP/1.1.
		ForceAttemptHTTP2: true,
		// A burst of calls to one replica keeps its connections, up to this; the default of 2 would open
		// and close one for nearly every call.
		MaxIdleConnsPerHost: 128,
		// Shedding bounds the calls to a service long before this. It is here so that a replica which
		// accepts and never answers cannot take every file descriptor; a call that has to wait for a
		// connection waits within its deadline.
		MaxConnsPerHost: 512,
		IdleConnTimeout: 60 * time.Second,

		// Answers are read as sent: what a gzip bomb unpacks to would be counted by nobody.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		// Proxy stays nil, so that no HTTP_PROXY in the environment can redirect calls with tokens in them.
	}
}
