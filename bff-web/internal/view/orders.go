package view

import (
	"time"

	"bff.internal/shared/clients/orders"
)

// Order is an order with all that is in it and how it travels.
type Order struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// PlacedAt is nil when it is not known.
	PlacedAt *time.Time `json:"placedAt"`
	Total    Money      `json:"total"`
	// Items is never nil.
	Items    []Item   `json:"items"`
	Shipping Shipping `json:"shipping"`
}

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	// Price is that of one.
	Price Money `json:"price"`
}

// Shipping is how an order travels; what is not known is nil.
type Shipping struct {
	Carrier        *string `json:"carrier"`
	TrackingNumber *string `json:"trackingNumber"`
	// EstimatedDelivery is a date.
	EstimatedDelivery *string `json:"estimatedDelivery"`
}

// Change is what the socket says when something is new, or not what it was.
type Change struct {
	Type  string `json:"type"`
	Order Order  `json:"order"`
}

// NewOrderChange shapes a change of an order.
func NewOrderChange(order orders.Order) Change { return Change{Type: "order", Order: newOrder(order)} }

func newOrders(list []orders.Order) []Order {
	if list == nil {
		return nil
	}
	shaped := make([]Order, len(list))
	for i, order := range list {
		shaped[i] = newOrder(order)
	}
	return shaped
}

func newOrder(order orders.Order) Order {
	items := make([]Item, len(order.Items))
	for i, item := range order.Items {
		items[i] = Item{SKU: item.SKU, Name: item.Name, Quantity: item.Quantity, Price: Money(item.Price)}
	}
	return Order{
		ID:       order.ID,
		Status:   order.Status,
		PlacedAt: moment(order.PlacedAt),
		Total:    Money(order.Total),
		Items:    items,
		Shipping: Shipping{
			Carrier:           known(order.Shipping.Carrier),
			TrackingNumber:    known(order.Shipping.TrackingNumber),
			EstimatedDelivery: known(order.Shipping.EstimatedDelivery),
		},
	}
}
