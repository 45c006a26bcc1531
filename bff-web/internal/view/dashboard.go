// Package view shapes upstream values into what the web application shows: pure functions, rich answers. A view lists
// its fields, so that nothing new of a service leaks out.
package view

import (
	"time"

	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
)

// Dashboard is all that the dashboard shows.
type Dashboard struct {
	User User `json:"user"`
	// ActiveOrders is nil when they are not known, and empty when there are none.
	ActiveOrders []Order `json:"activeOrders"`
	// Metrics is nil when they are not known.
	Metrics *Metrics `json:"metrics"`
}

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// NewDashboard shapes the sections. A page without a list and nil metrics mean that the section is not known.
func NewDashboard(user users.User, active orders.Page, metrics *analytics.Metrics) Dashboard {
	return Dashboard{User: newUser(user), ActiveOrders: newOrders(active.Orders), Metrics: newMetrics(metrics)}
}

// known is nil for what a service does not say.
func known[T comparable](value T) *T {
	var unknown T
	if value == unknown {
		return nil
	}
	return &value
}

// moment is nil for a time that a service does not say, and in UTC.
func moment(t time.Time) *time.Time { return known(t.UTC()) }
