package orders_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/orders"
	"bff.internal/mockservices/token"
)

type order struct {
	ID, Status string
	PlacedAt   time.Time
	Total      money
	Items      []struct {
		SKU, Name string
		Quantity  int
		Price     money
	}
	Shipping struct{ Carrier, TrackingNumber, EstimatedDelivery string }
}

type money struct {
	Amount   int
	Currency string
}

type page struct {
	Orders []order
	Next   *string
}

func today() time.Time { return time.Date(2026, time.March, 2, 23, 0, 0, 0, time.UTC) }

func newAPI(t *testing.T) (*standintest.World, *standintest.Client) {
	t.Helper()
	world := standintest.New(t)
	return world, standintest.Serve(t, orders.New(orders.Config{Verifier: token.NewVerifier(world.Trusted), Today: today()}))
}

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return value
}

func list(t *testing.T, api *standintest.Client, bearer, query string) page {
	t.Helper()
	got := api.Get(t, "/orders?"+query, bearer)
	if got.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", query, got.Status, got.Body)
	}
	return decode[page](t, got.Body)
}

func TestActiveOrders(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	for i := range 200 {
		got := api.Get(t, "/orders?user=me&status=active", world.Mobile(t, fmt.Sprintf("user-%06d", i)))
		if len(got.Body) < 4200 || len(got.Body) > 4800 {
			t.Errorf("user %d has %d bytes", i, len(got.Body))
		}
		active := decode[page](t, got.Body)
		if len(active.Orders) != 8 || active.Next != nil {
			t.Fatalf("user %d has %d active orders, next %v", i, len(active.Orders), active.Next)
		}
		for _, order := range active.Orders {
			check(t, order)
			if len(order.Items) != 3 || order.Status == "delivered" || order.Status == "cancelled" {
				t.Errorf("not active: %+v", order)
			}
		}
	}
}

// check fails the test unless the order makes sense.
func check(t *testing.T, o order) {
	t.Helper()
	sum := 0
	for _, item := range o.Items {
		sum += item.Quantity * item.Price.Amount
	}
	delivery, err := time.Parse(time.DateOnly, o.Shipping.EstimatedDelivery)
	if sum != o.Total.Amount || o.Total.Currency != "EUR" || o.PlacedAt.After(today()) || err != nil ||
		delivery.Before(o.PlacedAt.Truncate(24*time.Hour)) || o.Shipping.Carrier == "" || o.Shipping.TrackingNumber == "" {
		t.Errorf("makes no sense: %+v", o)
	}
}

func TestListIsRepeatable(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	first := api.Get(t, "/orders?user=me", ada)
	if again := api.Get(t, "/orders?user=me", ada); again.Body != first.Body {
		t.Errorf("%s, then %s", first.Body, again.Body)
	}
	if first.Header.Get("Cache-Control") != "private, max-age=0, stale-if-error=60" {
		t.Errorf("headers: %v", first.Header)
	}
	header := map[string]string{"If-None-Match": first.Header.Get("ETag")}
	if got := api.Do(t, standintest.Request{Path: "/orders?user=me", Token: ada, Header: header}); got.Status != 304 || got.Body != "" {
		t.Errorf("revalidation: %d %s", got.Status, got.Body)
	}
}

func TestSingleOrder(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, grace, company := world.Mobile(t, "ada"), world.Mobile(t, "grace"), world.Partner(t)
	own := list(t, api, ada, "user=me").Orders[0]
	theirs := list(t, api, company, "partner=acme").Orders[0]

	got := api.Get(t, "/orders/"+own.ID, ada)
	if diff := cmp.Diff(own, decode[order](t, got.Body)); diff != "" || got.Header.Get("ETag") == "" {
		t.Errorf("headers %v, %s", got.Header, diff)
	}
	tests := []struct {
		name, path, token string
		status            int
	}{
		{"somebody else's order is not there", "/orders/" + own.ID, grace, 404},
		{"nor is one that never was", "/orders/ord_0", ada, 404},
		{"nor is a user's for a partner", "/orders/" + own.ID + "?partner=acme", company, 404},
		{"a partner's order", "/orders/" + theirs.ID + "?partner=acme", company, 200},
		{"a partner's order for another partner", "/orders/" + theirs.ID + "?partner=globex", company, 404},
		{"a partner's order without saying whose", "/orders/" + theirs.ID, company, 400},
		{"a partner's order for a user", "/orders/" + theirs.ID + "?partner=acme", ada, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := api.Get(t, test.path, test.token); got.Status != test.status {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
		})
	}
}
