package orders

import (
	"context"
	"errors"
	"net/http"

	"bff.internal/shared/upstream"
)

// Draft is what somebody wants to order.
type Draft struct {
	Items []DraftItem `json:"items"`
	// IdempotencyKey tells the service that two drafts are one and the same, see upstream.Write. With "" an order that
	// may have been placed is not tried a second time.
	IdempotencyKey string `json:"-"`
}

// DraftItem is so many of one thing.
type DraftItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Validate refuses an order without an id.
func (o *Order) Validate() error {
	if o.ID == "" {
		return errors.New("order without an id")
	}
	return nil
}

// Place places an order for the caller, whose next List has it. Every error is an *upstream.Error, and not all of them
// say that nothing was placed, see upstream.Send.
func (c *Client) Place(ctx context.Context, draft Draft) (Order, error) {
	return upstream.Send[Order](ctx, c.service, upstream.Write{
		Method: http.MethodPost, Target: upstream.Target{Path: []string{"orders"}}, Body: draft, IdempotencyKey: draft.IdempotencyKey,
	})
}

// Cancel cancels an order of the caller, as his next List says. The service refuses it, and the error's Kind is
// upstream.Rejected, when the order has gone too far. Errors are like those of Place.
func (c *Client) Cancel(ctx context.Context, id string) (Order, error) {
	return upstream.Send[Order](ctx, c.service, upstream.Write{
		Method: http.MethodPost, Target: upstream.Target{Path: []string{"orders", id, "cancel"}},
	})
}
