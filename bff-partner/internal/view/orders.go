package view

import (
	"time"

	"bff.internal/shared/clients/orders"
)

// Order is an order with all that is in it and how it travels; what is not known is nil.
type Order struct {
	ID       string     `json:"id"`
	Status   *string    `json:"status"`
	PlacedAt *time.Time `json:"placedAt"`
	Total    *Money     `json:"total"`
	// Items is never nil.
	Items    []Item   `json:"items"`
	Shipping Shipping `json:"shipping"`
}

// Item is one line of an order.
type Item struct {
	SKU      *string `json:"sku"`
	Name     *string `json:"name"`
	Quantity int     `json:"quantity"`
	// Price is that of one.
	Price *Money `json:"price"`
}

// Shipping is how an order travels.
type Shipping struct {
	Carrier        *string `json:"carrier"`
	TrackingNumber *string `json:"trackingNumber"`
	// EstimatedDelivery is a date.
	EstimatedDelivery *string `json:"estimatedDelivery"`
}

func newOrders(list []orders.Order) []Order {
	shaped := make([]Order, len(list))
	for i, order := range list {
		shaped[i] = newOrder(order)
	}
	return shaped
}

func newOrder(order orders.Order) Order {
	items := make([]Item, len(order.Items))
	for i, item := range order.Items {
		items[i] = Item{
			SKU:      known(item.SKU),
			Name:     known(item.Name),
			Quantity: item.Quantity,
			Price:    money(item.Price.Amount, item.Price.Currency),
		}
	}
	return Order{
		ID:       order.ID,
		Status:   known(order.Status),
		PlacedAt: moment(order.PlacedAt),
		Total:    money(order.Total.Amount, order.Total.Currency),
		Items:    items,
		Shipping: Shipping{
			Carrier:           known(order.Shipping.Carrier),
			TrackingNumber:    known(order.Shipping.TrackingNumber),
			EstimatedDelivery: day(order.Shipping.EstimatedDelivery),
		},
	}
}
