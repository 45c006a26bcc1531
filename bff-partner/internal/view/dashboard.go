// Package view shapes upstream values into what a partner's program reads: pure functions, complete answers. A view lists
// its fields, so that nothing new of a service leaks out. What a service does not say is nil, never empty or zero: a
// program cannot see that a blank looks odd.
package view

import (
	"time"

	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
)

// Dashboard is all that is known about a partner at once.
type Dashboard struct {
	User Account `json:"user"`
	// ActiveOrders is never nil.
	ActiveOrders []Order `json:"activeOrders"`
	// Metrics is nil when they are not known.
	Metrics *Metrics `json:"metrics"`
}

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// NewDashboard shapes the sections. Nil metrics mean that the section is not known.
func NewDashboard(account users.Partner, active orders.Page, metrics *analytics.Metrics) Dashboard {
	return Dashboard{User: newAccount(account), ActiveOrders: newOrders(active.Orders), Metrics: newMetrics(metrics)}
}

// money is nil without a currency, for then the amount says nothing.
func money(amount int64, currency string) *Money {
	if currency == "" {
		return nil
	}
	return &Money{Amount: amount, Currency: currency}
}

// known is nil for what a service does not say.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// day is nil for what is no date: programs parse it.
func day(text string) *string {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return nil
	}
	return &text
}

// moment is nil for a time that a service does not say, and in UTC.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
