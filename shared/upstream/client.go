package upstream

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"bff.internal/shared/cache"
	"bff.internal/shared/telemetry"
)

// defaultMaxAnswer is far above what a screen needs and far below what would hurt once it is decoded.
const defaultMaxAnswer = 256 << 10

// Config says how to reach one service. Service, Replicas, Transport and Telemetry are required.
type Config struct {
	// Service is the service's name in logs, metrics and errors; callers never see it.
	Service string
	// Replicas are the base URLs that serve it.
	Replicas Replicas
	// Policy bounds the calls; the zero value holds the defaults.
	Policy Policy
	// Transport makes the exchanges. It must neither follow redirects nor decompress.
	Transport http.RoundTripper
	Telemetry *telemetry.Telemetry
	// Answers is where answers are stored, which the services of a BFF share; nil means a store of the client's own.
	Answers *cache.Store
	// Background runs what no caller waits for; nil starts a goroutine.
	Background Background
	// MaxAnswer bounds the body of an answer in bytes; 0 means 256 KiB. A larger one is a bad answer.
	MaxAnswer int64
}

// Background runs f until it returns. The context ends when the process does.
type Background = func(name string, f func(ctx context.Context) error)

// Client calls one service. It may be used concurrently.
type Client struct {
	service string
	layers  http.RoundTripper

	// What the layers know, for Status.
	pool            *pool
	gate            *gate
	retries, hedges *extraBudget
	reconnects      *extraBudget
}

// New returns a client of one service. It panics if the Config lacks what is required, or has
// more than 64 replicas.
func New(cfg Config) *Client {
	if cfg.Service == "" || len(cfg.Replicas) == 0 || len(cfg.Replicas) > maxReplicas || cfg.Transport == nil || cfg.Telemetry == nil {
		panic("upstream: incomplete Config of service " + cfg.Service)
	}
	cfg.MaxAnswer = cmp.Or(cfg.MaxAnswer, defaultMaxAnswer)
	if cfg.Policy.MaxInFlight == 0 {
		cfg.Policy.MaxInFlight, cfg.Policy.MaxWaiting = defaultMaxInFlight, defaultMaxWaiting
	}
	if cfg.Answers == nil {
		cfg.Answers = cache.New(defaultCacheBytes)
	}
	if cfg.Background == nil {
		cfg.Background = func(_ string, f func(context.Context) error) { go func() { _ = f(context.Background()) }() }
	}
	c := &Client{
		service: cfg.Service,
		pool:    newPool(cfg), gate: newGate(cfg.Policy), retries: newRetryBudget(), hedges: newHedgeBudget(), reconnects: newReconnectBudget(),
	}
	c.layers = c.stack(cfg)
	return c
}

// repeats is what net/http may do on its own account, and where that is counted.
func (c *Client) repeats(without Layers) repeats {
	if without.Retry {
		return repeats{}
	}
	return repeats{c.reconnects, func() { c.pool.telemetry.Metrics.ExtraAttempt(c.service, "reconnect") }}
}

// Target is what to ask a service for.
type Target struct {
	// Path is the segments of the path, unescaped.
	Path []string
	// Query may be nil.
	Query url.Values
}

// Get asks for a JSON value, on behalf of whoever the context's Credentials name. Every error is an
// *Error. A T with a Validate method is refused when that returns an error: a bad answer.
func Get[T any](ctx context.Context, c *Client, target Target) (T, error) {
	var zero T
	req, err := c.request(&call{Context: ctx, repeatable: true, decode: decode[T], as: reflect.TypeFor[T]()}, http.MethodGet, target)
	if err != nil {
		return zero, err
	}
	resp, err := c.layers.RoundTrip(req)
	if err != nil {
		return zero, c.wrap(ctx, err)
	}
	if err := c.check(ctx, resp, http.StatusOK); err != nil {
		return zero, err
	}
	return valueOf[T](ctx, c, resp)
}

// roomForHeaders is what the layers below add: Authorization, X-Request-Id, Traceparent and the timeout.
const roomForHeaders = 5

var acceptJSON = []string{"application/json"} //nolint:gochecknoglobals // read-only

var errNoPath = errors.New("an empty or dot segment in a path names nothing")

// request makes the request without its host, which Failover fills in.
func (c *Client) request(ctx *call, method string, target Target) (*http.Request, error) {
	var path, raw strings.Builder
	for _, segment := range target.Path {
		if segment == "" || segment == "." || segment == ".." {
			return nil, c.fail(Denied, http.StatusNotFound, errNoPath)
		}
		path.WriteString("/" + segment)
		raw.WriteString("/" + url.PathEscape(segment))
	}
	var blank http.Request
	req := blank.WithContext(ctx)
	req.Method = method
	req.URL = &url.URL{Path: path.String(), RawPath: raw.String(), RawQuery: target.Query.Encode()}
	req.Header = make(http.Header, roomForHeaders)
	req.Header["Accept"] = acceptJSON
	return req, nil
}

// check judges the status of an answer, where those that are wanted hold a value.
func (c *Client) check(ctx context.Context, resp *http.Response, wanted ...int) error {
	if slices.Contains(wanted, resp.StatusCode) {
		return nil
	}
	switch status := resp.StatusCode; status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		credentials, _ := CredentialsFrom(ctx)
		if status == http.StatusUnauthorized && credentials.Refused != nil {
			credentials.Refused()
		}
		e := c.fail(Denied, status, nil)
		e.ours = credentials.Ours
		return e
	case http.StatusTooManyRequests:
		return c.fail(Shed, status, nil)
	default:
		return c.fail(BadAnswer, status, nil)
	}
}
