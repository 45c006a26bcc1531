// Package orders is the typed client of the Order Service.
package orders

import (
	"context"
	"errors"
	"net/url"
	"time"

	"bff.internal/shared/upstream"
)

// Client calls the Order Service. It may be used concurrently.
type Client struct{ service *upstream.Client }

// New returns a client over the service.
func New(service *upstream.Client) *Client { return &Client{service: service} }

// Order is what somebody bought. Only ID is sure to be there.
type Order struct {
	ID       string    `json:"id"`
	Status   string    `json:"status"`
	PlacedAt time.Time `json:"placedAt"`
	Total    Money     `json:"total"`
	Items    []Item    `json:"items"`
	Shipping Shipping  `json:"shipping"`
}

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    Money  `json:"price"`
}

// Shipping is how an order travels.
type Shipping struct {
	Carrier        string `json:"carrier"`
	TrackingNumber string `json:"trackingNumber"`
	// EstimatedDelivery is a date, as the service says it; "" when it does not.
	EstimatedDelivery string `json:"estimatedDelivery"`
}

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Page is one page of a list of orders. Orders is never nil in an answer.
type Page struct {
	Orders []Order `json:"orders"`
	// Next is the cursor of the next page, or "" on the last one.
	Next string `json:"next"`
}

// Validate refuses a page without a list and an order without an id.
func (p *Page) Validate() error {
	if p.Orders == nil {
		return errors.New("no list of orders")
	}
	for i := range p.Orders {
		if err := p.Orders[i].Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Query says which orders to list. Exactly one of User and Partner is set.
type Query struct {
	// User is whose orders; "me" is the caller.
	User string
	// Partner is whose orders when they are a partner's: its id.
	Partner string
	// Status filters, unless it is "".
	Status string
}

// values panics for a query of nobody or of two: what the service would make of it is not ours to guess.
func (q Query) values() url.Values {
	values := url.Values{}
	switch {
	case (q.User == "") == (q.Partner == ""):
		panic("orders: a Query wants exactly one of User and Partner")
	case q.User != "":
		values.Set("user", q.User)
	default:
		values.Set("partner", q.Partner)
	}
	if q.Status != "" {
		values.Set("status", q.Status)
	}
	return values
}

// List returns the first page of orders, in the service's order. Every error is an *upstream.Error. It panics unless
// exactly one of User and Partner is set.
func (c *Client) List(ctx context.Context, query Query) (Page, error) {
	return upstream.Get[Page](ctx, c.service, upstream.Target{Path: []string{"orders"}, Query: query.values()})
}
