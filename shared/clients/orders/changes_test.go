package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/clients/orders"
)

func TestAChangeIsReadAsTheServiceWritesIt(t *testing.T) {
	t.Parallel()
	got, err := orders.ParseChange(map[string]any{
		"user": "ada",
		"order": `{"id":"ord_1","status":"cancelled","placedAt":"2026-03-02T10:00:00Z","total":{"amount":3300,"currency":"EUR"},` +
			`"items":[{"sku":"CUP-51233","name":"Mug","quantity":2,"price":{"amount":1650,"currency":"EUR"}}],` +
			`"shipping":{"carrier":"DHL","trackingNumber":"T1","estimatedDelivery":"2026-03-05"},"new":{"later":true}}`,
		"and": "more",
	})
	want := orders.Change{User: "ada", Order: orders.Order{
		ID: "ord_1", Status: "cancelled", PlacedAt: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		Total:    orders.Money{Amount: 3300, Currency: "EUR"},
		Items:    []orders.Item{{SKU: "CUP-51233", Name: "Mug", Quantity: 2, Price: orders.Money{Amount: 1650, Currency: "EUR"}}},
		Shipping: orders.Shipping{Carrier: "DHL", TrackingNumber: "T1", EstimatedDelivery: "2026-03-05"},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAChangeThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values map[string]any
	}{
		{"nothing", nil},
		{"no user", map[string]any{"order": `{"id":"ord_1"}`}},
		{"an empty user", map[string]any{"user": "", "order": `{"id":"ord_1"}`}},
		{"a user that is no text", map[string]any{"user": 7, "order": `{"id":"ord_1"}`}},
		{"no order", map[string]any{"user": "ada"}},
		{"an order without an id", map[string]any{"user": "ada", "order": `{}`}},
		{"an order that is no object", map[string]any{"user": "ada", "order": `["canary"]`}},
		{"half an order", map[string]any{"user": "ada", "order": `{"id":"canary`}},
		{"a member that is there twice", map[string]any{"user": "ada", "order": `{"id":"canary","id":"ord_2"}`}},
		{"a price that is no number", map[string]any{"user": "ada", "order": `{"id":"ord_1","total":{"amount":"canary"}}`}},
		{"an enormous order", map[string]any{"user": "ada", "order": `{"id":"` + strings.Repeat("x", 64<<10) + `"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := orders.ParseChange(tt.values)
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%+v, %v", got, err)
			}
			if diff := cmp.Diff(orders.Change{}, got); diff != "" {
				t.Errorf("half a change: %s", diff)
			}
		})
	}
}
