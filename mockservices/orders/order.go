package orders

import (
	"slices"
	"time"
)

// order is what somebody bought at once.
type order struct {
	ID       string    `json:"id"`
	Status   status    `json:"status"`
	PlacedAt time.Time `json:"placedAt"`
	Total    money     `json:"total"`
	Items    []item    `json:"items"`
	Shipping shipping  `json:"shipping"`
}

type item struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    money  `json:"price"` // of one
}

type money struct {
	Amount   int    `json:"amount"` // minor units
	Currency string `json:"currency"`
}

type shipping struct {
	Carrier           string `json:"carrier"`
	TrackingNumber    string `json:"trackingNumber"`
	EstimatedDelivery string `json:"estimatedDelivery"` // a date
}

// status is how far an order has come.
type status string

// The statuses of an order, in the order of its life.
const (
	placed    status = "placed"
	packed    status = "packed"
	shipped   status = "shipped"
	delivered status = "delivered"
	cancelled status = "cancelled"
)

// active is what a list is asked for to get all orders that are neither delivered nor cancelled.
const active = "active"

// matches reports whether a list filtered by filter shows the status. The empty filter shows all.
func (s status) matches(filter string) bool {
	switch filter {
	case "":
		return true
	case active:
		return s != delivered && s != cancelled
	default:
		return filter == string(s)
	}
}

// cancellable reports whether the order has not left the house.
func (s status) cancellable() bool {
	return s == placed || s == packed
}

// filters is what a list can be filtered by.
func filters() []string {
	return []string{active, string(placed), string(packed), string(shipped), string(delivered), string(cancelled)}
}

// newest sorts the youngest order to the front, and orders of one moment by their ids.
func newest(all []order) {
	slices.SortFunc(all, func(a, b order) int {
		if c := b.PlacedAt.Compare(a.PlacedAt); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
}
