package analytics

import (
	"time"

	"bff.internal/mockservices/internal/derive"
	"bff.internal/mockservices/internal/owner"
)

// metrics is what somebody ordered in a window of days. Either User or Partner is there.
type metrics struct {
	User    string `json:"user,omitzero"`
	Partner string `json:"partner,omitzero"`
	Window  string `json:"window"`
	From    string `json:"from"` // the first day
	To      string `json:"to"`   // the last day
	Totals  totals `json:"totals"`
	Series  []day  `json:"series"` // every day of the window, oldest first
}

type totals struct {
	Orders int   `json:"orders"`
	Spent  money `json:"spent"`
}

type day struct {
	Date   string `json:"date"`
	Orders int    `json:"orders"`
	Spent  int    `json:"spent"` // minor units of the currency of the totals
}

type money struct {
	Amount   int    `json:"amount"` // minor units
	Currency string `json:"currency"`
}

// newMetrics is the window of that many days that ends with last. A day is the same in every window.
func newMetrics(whose owner.Owner, window string, days int, last time.Time) metrics {
	m := metrics{
		User:    whose.User,
		Partner: whose.Partner,
		Window:  window,
		From:    last.AddDate(0, 0, 1-days).Format(time.DateOnly),
		To:      last.Format(time.DateOnly),
		Totals:  totals{Spent: money{Currency: "EUR"}},
		Series:  make([]day, days),
	}
	// Backwards, so that a longer window draws the same numbers for the days it shares with a shorter one.
	source := derive.From("metrics", whose.Key(), m.To)
	for i := days - 1; i >= 0; i-- {
		orders := derive.Pick(source, []int{0, 0, 1, 1, 2, 3})
		spent := orders * source.Between(900, 9_999)
		m.Series[i] = day{Date: last.AddDate(0, 0, i+1-days).Format(time.DateOnly), Orders: orders, Spent: spent}
		m.Totals.Orders += orders
		m.Totals.Spent.Amount += spent
	}
	return m
}
