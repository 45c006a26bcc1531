package view

import "bff.internal/shared/clients/analytics"

// Metrics is what somebody ordered in a window of days, and day by day.
type Metrics struct {
	Window string `json:"window"`
	From   string `json:"from"`
	To     string `json:"to"`
	Orders int    `json:"orders"`
	Spent  Money  `json:"spent"`
	// Series has one entry a day, oldest first. It is never nil.
	Series []Day `json:"series"`
}

// Day is one day; Spent is in minor units of the currency of the sum.
type Day struct {
	Date   string `json:"date"`
	Orders int    `json:"orders"`
	Spent  int64  `json:"spent"`
}

func newMetrics(metrics *analytics.Metrics) *Metrics {
	if metrics == nil {
		return nil
	}
	series := make([]Day, len(metrics.Series))
	for i, day := range metrics.Series {
		series[i] = Day{Date: day.Date, Orders: day.Orders, Spent: day.Spent}
	}
	return &Metrics{
		Window: metrics.Window,
		From:   metrics.From,
		To:     metrics.To,
		Orders: metrics.Totals.Orders,
		Spent:  Money(metrics.Totals.Spent),
		Series: series,
	}
}
