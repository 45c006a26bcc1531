// Package view shapes upstream values into what a phone shows: pure functions, small answers. A view lists
// its fields, so that nothing new of a service leaks out.
package view

import (
	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
)

// Dashboard is the first screen.
type Dashboard struct {
	User User `json:"user"`
	// ActiveOrders is nil when they are not known, and empty when there are none.
	ActiveOrders []Order `json:"activeOrders"`
	// Metrics is nil when they are not known.
	Metrics *Metrics `json:"metrics"`
}

// User is who is signed in.
type User struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	AvatarURL string `json:"avatarUrl"`
}

// Order is one line of the list of active orders.
type Order struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Total  Money  `json:"total"`
	// ItemCount is how many things were ordered, not how many different ones.
	ItemCount int `json:"itemCount"`
	// DeliveryDate is when the order is expected, or nil when nobody knows.
	DeliveryDate *string `json:"deliveryDate"`
}

// Metrics is one line of figures.
type Metrics struct {
	Window string `json:"window"`
	Orders int    `json:"orders"`
	Spent  Money  `json:"spent"`
}

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// NewDashboard shapes the sections. A page without a list and nil metrics mean that the section is not
// known.
func NewDashboard(user users.User, active orders.Page, metrics *analytics.Metrics) Dashboard {
	return Dashboard{
		User:         User{ID: user.ID, Name: user.Name, AvatarURL: user.AvatarURL},
		ActiveOrders: newOrders(active.Orders),
		Metrics:      newMetrics(metrics),
	}
}

func newOrders(list []orders.Order) []Order {
	if list == nil {
		return nil
	}
	shaped := make([]Order, len(list))
	for i, order := range list {
		shaped[i] = Order{
			ID:           order.ID,
			Status:       order.Status,
			Total:        Money(order.Total),
			ItemCount:    itemCount(order.Items),
			DeliveryDate: known(order.Shipping.EstimatedDelivery),
		}
	}
	return shaped
}

func newMetrics(metrics *analytics.Metrics) *Metrics {
	if metrics == nil {
		return nil
	}
	return &Metrics{Window: metrics.Window, Orders: metrics.Totals.Orders, Spent: Money(metrics.Totals.Spent)}
}

func itemCount(items []orders.Item) int {
	count := 0
	for _, item := range items {
		count += item.Quantity
	}
	return count
}

func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
