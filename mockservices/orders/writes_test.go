package orders_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/internal/standintest"
)

const mug = `{"items":[{"sku":"CUP-51233","quantity":2}]}`

func place(t *testing.T, api *standintest.Client, bearer, key, body string) standintest.Answer {
	t.Helper()
	header := map[string]string{"Content-Type": "application/json"}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/orders", Token: bearer, Body: body, Header: header})
}

func cancel(t *testing.T, api *standintest.Client, bearer, id string) standintest.Answer {
	t.Helper()
	return api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/orders/" + id + "/cancel", Token: bearer})
}

func TestPlace(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, grace := world.Mobile(t, "ada"), world.Mobile(t, "grace")
	got := place(t, api, ada, "", mug)
	placed := decode[order](t, got.Body)
	if got.Status != http.StatusCreated || got.Header.Get("Location") != "/orders/"+placed.ID ||
		placed.Status != "placed" || placed.Total != (money{3300, "EUR"}) || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("answer: %d %v %s", got.Status, got.Header, got.Body)
	}
	if again := api.Get(t, got.Header.Get("Location"), ada); again.Body != got.Body {
		t.Errorf("later it is %s", again.Body)
	}
	active := list(t, api, ada, "user=me&status=active").Orders
	if diff := cmp.Diff(placed, active[0]); diff != "" || len(active) != 9 {
		t.Errorf("%d active orders, the newest: %s", len(active), diff)
	}
	if others := list(t, api, grace, "user=me&status=active").Orders; len(others) != 8 {
		t.Errorf("somebody else has %d active orders", len(others))
	}
}

func TestPlaceForPartner(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	company := world.Partner(t)
	got := api.Do(t, standintest.Request{
		Method: http.MethodPost, Path: "/orders?partner=acme", Token: company, Body: mug,
		Header: map[string]string{"Content-Type": "application/json"},
	})
	if again := api.Get(t, got.Header.Get("Location"), company); got.Status != http.StatusCreated || again.Body != got.Body {
		t.Errorf("answer: %d %v %s, later %s", got.Status, got.Header, got.Body, again.Body)
	}
}

func TestPlaceRefuses(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	tests := []struct {
		name, body string
		status     int
		want       string // a part of the answer
	}{
		{"nothing", `{}`, 422, `"pointer":"/items"`},
		{"an empty basket", `{"items":[]}`, 422, `"pointer":"/items"`},
		{"what is not sold", `{"items":[{"sku":"X","quantity":1}]}`, 422, `"pointer":"/items/0/sku"`},
		{"none of something", `{"items":[{"sku":"CUP-51233","quantity":0}]}`, 422, `"pointer":"/items/0/quantity"`},
		{"too much of something", `{"items":[{"sku":"CUP-51233","quantity":100}]}`, 422, `"pointer":"/items/0/quantity"`},
		{"a price of one's own", `{"items":[{"sku":"CUP-51233","quantity":1,"price":1}]}`, 400, `"pointer":"/items/0/price"`},
		{"no JSON", `mug`, 400, `"code":"bad_body"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := place(t, api, ada, "", test.body); got.Status != test.status || !strings.Contains(got.Body, test.want) {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
			if all := list(t, api, ada, "user=me&status=active").Orders; len(all) != 8 {
				t.Errorf("afterwards there are %d active orders", len(all))
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, grace := world.Mobile(t, "ada"), world.Mobile(t, "grace")
	first := place(t, api, ada, `"k-1"`, mug)
	cancel(t, api, ada, decode[order](t, first.Body).ID)

	tests := []struct {
		name, token, key, body string
		status                 int
		replayed               bool
	}{
		{"the same again is the same answer", ada, `"k-1"`, mug, 201, true},
		{"the quotes make no difference", ada, `k-1`, mug, 201, true},
		{"another body", ada, `"k-1"`, `{"items":[{"sku":"CUP-51233","quantity":3}]}`, 422, false},
		{"another key", ada, `"k-2"`, mug, 201, false},
		{"another user", grace, `"k-1"`, mug, 201, false},
		{"no key", ada, "", mug, 201, false},
		{"half a quote", ada, `"k-1`, mug, 400, false},
		{"an empty key", ada, `""`, mug, 400, false},
		{"an endless key", ada, strings.Repeat("k", 256), mug, 400, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := place(t, api, test.token, test.key, test.body)
			if got.Status != test.status || (got.Body == first.Body) != test.replayed {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
			if test.replayed && got.Header.Get("Location") != first.Header.Get("Location") {
				t.Errorf("it is said to be at %s", got.Header.Get("Location"))
			}
		})
	}
}

func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	answers := make([]string, 20)
	var requests sync.WaitGroup
	for i := range answers {
		requests.Go(func() { answers[i] = place(t, api, ada, "k", mug).Body })
	}
	requests.Wait()
	for _, got := range answers {
		if got != answers[0] {
			t.Errorf("%s and %s", answers[0], got)
		}
	}
	if active := list(t, api, ada, "user=me&status=active").Orders; len(active) != 9 {
		t.Errorf("twenty requests with one key make %d active orders", len(active))
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, grace := world.Mobile(t, "ada"), world.Mobile(t, "grace")
	for status, want := range map[string]int{"placed": 200, "packed": 200, "shipped": 409, "delivered": 409} {
		before := list(t, api, ada, "user=me&status="+status).Orders[0]
		if got := cancel(t, api, grace, before.ID); got.Status != 404 {
			t.Errorf("%s, by somebody else: %d %s", status, got.Status, got.Body)
		}
		got := cancel(t, api, ada, before.ID)
		if got.Status != want {
			t.Errorf("%s: %d %s", status, got.Status, got.Body)
		}
		if want == 200 {
			before.Status = "cancelled"
		}
		if diff := cmp.Diff(before, decode[order](t, api.Get(t, "/orders/"+before.ID, ada).Body)); diff != "" {
			t.Errorf("%s, later: %s", status, diff)
		}
		if again := cancel(t, api, ada, before.ID); again.Status != 409 || !strings.Contains(again.Body, `"code":"not_cancellable"`) {
			t.Errorf("%s, again: %d %s", status, again.Status, again.Body)
		}
	}
	if active := list(t, api, ada, "user=me&status=active").Orders; len(active) != 6 {
		t.Errorf("two cancelled of eight leave %d", len(active))
	}
}

func TestOldestPlacedOrdersAreForgotten(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	first := decode[order](t, place(t, api, ada, "", mug).Body)
	for range 100 {
		place(t, api, ada, "", mug)
	}
	if got := api.Get(t, "/orders/"+first.ID, ada); got.Status != 404 {
		t.Errorf("the first of 101 orders: %d", got.Status)
	}
}
