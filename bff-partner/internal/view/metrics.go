package view

import "bff.internal/shared/clients/analytics"

// Metrics is what a partner ordered in a window of days, and day by day; what is not known is nil.
type Metrics struct {
	Window string `json:"window"`
	// From and To are the first and the last day.
	From   *string `json:"from"`
	To     *string `json:"to"`
	Totals Totals  `json:"totals"`
	// Series has one entry a day, oldest first. It is never nil.
	Series []Day `json:"series"`
}

// Totals are the sums over the window.
type Totals struct {
	Orders int    `json:"orders"`
	Spent  *Money `json:"spent"`
}

// Day is one day.
type Day struct {
	Date   *string `json:"date"`
	Orders int     `json:"orders"`
	Spent  *Money  `json:"spent"`
}

func newMetrics(metrics *analytics.Metrics) *Metrics {
	if metrics == nil {
		return nil
	}
	spent := metrics.Totals.Spent
	series := make([]Day, len(metrics.Series))
	for i, one := range metrics.Series {
		series[i] = Day{Date: day(one.Date), Orders: one.Orders, Spent: money(one.Spent, spent.Currency)}
	}
	return &Metrics{
		Window: metrics.Window,
		From:   day(metrics.From),
		To:     day(metrics.To),
		Totals: Totals{Orders: metrics.Totals.Orders, Spent: money(spent.Amount, spent.Currency)},
		Series: series,
	}
}
