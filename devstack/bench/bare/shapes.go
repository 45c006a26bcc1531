package main

import "time"

// What the services answer: the same members that shared/clients reads.
type (
	user struct {
		ID        string    `json:"id"`
		Name      string    `json:"name"`
		Email     string    `json:"email"`
		Phone     string    `json:"phone"`
		AvatarURL string    `json:"avatarUrl"`
		Locale    string    `json:"locale"`
		Tier      string    `json:"tier"`
		CreatedAt time.Time `json:"createdAt"`
	}
	page struct {
		Orders []order `json:"orders"`
		Next   string  `json:"next"`
	}
	order struct {
		ID       string    `json:"id"`
		Status   string    `json:"status"`
		PlacedAt time.Time `json:"placedAt"`
		Total    money     `json:"total"`
		Items    []item    `json:"items"`
		Shipping shipping  `json:"shipping"`
	}
	item struct {
		SKU      string `json:"sku"`
		Name     string `json:"name"`
		Quantity int    `json:"quantity"`
		Price    money  `json:"price"`
	}
	shipping struct {
		Carrier           string `json:"carrier"`
		TrackingNumber    string `json:"trackingNumber"`
		EstimatedDelivery string `json:"estimatedDelivery"`
	}
	metrics struct {
		Window string `json:"window"`
		From   string `json:"from"`
		To     string `json:"to"`
		Totals struct {
			Orders int   `json:"orders"`
			Spent  money `json:"spent"`
		} `json:"totals"`
		Series []struct {
			Date   string `json:"date"`
			Orders int    `json:"orders"`
			Spent  int64  `json:"spent"`
		} `json:"series"`
	}
	money struct {
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
)

// What a phone gets: the same bytes as from bff-mobile.
type (
	dashboard struct {
		User         shownUser    `json:"user"`
		ActiveOrders []shownOrder `json:"activeOrders"`
		Metrics      shownMetrics `json:"metrics"`
	}
	shownUser struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		AvatarURL string `json:"avatarUrl"`
	}
	shownOrder struct {
		ID           string  `json:"id"`
		Status       string  `json:"status"`
		Total        money   `json:"total"`
		ItemCount    int     `json:"itemCount"`
		DeliveryDate *string `json:"deliveryDate"`
	}
	shownMetrics struct {
		Window string `json:"window"`
		Orders int    `json:"orders"`
		Spent  money  `json:"spent"`
	}
)

func newDashboard(user user, active page, metrics metrics) dashboard {
	orders := make([]shownOrder, len(active.Orders))
	for i := range active.Orders {
		order := &active.Orders[i]
		orders[i] = shownOrder{ID: order.ID, Status: order.Status, Total: order.Total}
		for _, item := range order.Items {
			orders[i].ItemCount += item.Quantity
		}
		if order.Shipping.EstimatedDelivery != "" {
			orders[i].DeliveryDate = &order.Shipping.EstimatedDelivery
		}
	}
	return dashboard{
		User:         shownUser{ID: user.ID, Name: user.Name, AvatarURL: user.AvatarURL},
		ActiveOrders: orders,
		Metrics:      shownMetrics{Window: metrics.Window, Orders: metrics.Totals.Orders, Spent: metrics.Totals.Spent},
	}
}
