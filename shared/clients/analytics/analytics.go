// Package analytics is the typed client of the Analytics Service.
package analytics

import (
	"context"
	"errors"
	"net/url"

	"bff.internal/shared/upstream"
)

// Client calls the Analytics Service. It may be used concurrently.
type Client struct{ service *upstream.Client }

// New returns a client over the service.
func New(service *upstream.Client) *Client { return &Client{service: service} }

// Metrics is what somebody did in a window of days.
type Metrics struct {
	// Window is the length, such as "30d".
	Window string `json:"window"`
	// From and To are the first and the last day, as dates.
	From   string `json:"from"`
	To     string `json:"to"`
	Totals Totals `json:"totals"`
	// Series has one entry a day.
	Series []Day `json:"series"`
}

// Totals are the sums over the window.
type Totals struct {
	Orders int   `json:"orders"`
	Spent  Money `json:"spent"`
}

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Day is what happened on one day; Spent is in minor units of the currency of the totals.
type Day struct {
	Date   string `json:"date"`
	Orders int    `json:"orders"`
	Spent  int64  `json:"spent"`
}

// Validate refuses metrics that do not say for which window they are.
func (m *Metrics) Validate() error {
	if m.Window == "" {
		return errors.New("metrics without a window")
	}
	return nil
}

// Query says whose metrics. Exactly one of User and Partner is set.
type Query struct {
	// User is whose metrics; "me" is the caller.
	User string
	// Partner is whose metrics when they are a partner's: its id.
	Partner string
}

// values panics for a query of nobody or of two: what the service would make of it is not ours to guess.
func (q Query) values() url.Values {
	values := url.Values{"window": {"30d"}}
	switch {
	case (q.User == "") == (q.Partner == ""):
		panic("analytics: a Query wants exactly one of User and Partner")
	case q.User != "":
		values.Set("user", q.User)
	default:
		values.Set("partner", q.Partner)
	}
	return values
}

// Metrics returns the metrics of the last thirty days, never nil beside a nil error. Every error is an
// *upstream.Error. It panics unless exactly one of User and Partner is set.
func (c *Client) Metrics(ctx context.Context, query Query) (*Metrics, error) {
	metrics, err := upstream.Get[Metrics](ctx, c.service, upstream.Target{Path: []string{"metrics"}, Query: query.values()})
	if err != nil {
		return nil, err
	}
	return &metrics, nil
}
