package orders_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPages(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	all := list(t, api, ada, "user=me&limit=100").Orders
	if len(all) < 12 {
		t.Fatalf("only %d orders", len(all))
	}
	for _, limit := range []int{1, 3, len(all) - 1, len(all)} {
		var read []order
		for query := fmt.Sprintf("user=me&limit=%d", limit); ; {
			got := list(t, api, ada, query)
			read = append(read, got.Orders...)
			if got.Next == nil {
				break
			}
			if len(got.Orders) != limit {
				t.Fatalf("%d orders on a page of %d", len(got.Orders), limit)
			}
			query = fmt.Sprintf("user=me&limit=%d&cursor=%s", limit, *got.Next)
		}
		if diff := cmp.Diff(all, read); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
	}
	for i := 1; i < len(all); i++ {
		if all[i].PlacedAt.After(all[i-1].PlacedAt) {
			t.Errorf("%v comes after %v", all[i].PlacedAt, all[i-1].PlacedAt)
		}
	}
}

func TestPagesDoNotMoveWhenSomethingHappens(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	active := list(t, api, ada, "user=me&status=active").Orders
	first := list(t, api, ada, "user=me&status=active&limit=2")
	place(t, api, ada, "", `{"items":[{"sku":"CUP-51233","quantity":1}]}`)
	cancel(t, api, ada, first.Orders[1].ID)
	second := list(t, api, ada, "user=me&status=active&limit=2&cursor="+*first.Next)
	if diff := cmp.Diff(active[2:4], second.Orders); diff != "" {
		t.Error(diff)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	sum := 0
	for _, status := range []string{"placed", "packed", "shipped", "delivered", "cancelled"} {
		for _, order := range list(t, api, ada, "user=ada&status="+status).Orders {
			if order.Status != status {
				t.Errorf("%s is among %s", order.Status, status)
			}
			sum++
		}
	}
	if all := len(list(t, api, ada, "user=me").Orders); sum != all {
		t.Errorf("%d orders with one status or another, %d in all", sum, all)
	}
	for _, order := range list(t, api, ada, "user=me&status=placed").Orders {
		cancel(t, api, ada, order.ID)
	}
	if got := api.Get(t, "/orders?user=me&status=placed", ada).Body; got != `{"orders":[]}` {
		t.Errorf("a list without orders is %s", got)
	}
}

func TestBadQueries(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, company := world.Mobile(t, "ada"), world.Partner(t)
	foreign := *list(t, api, world.Mobile(t, "grace"), "user=me&limit=1").Next
	tests := []struct {
		name, query, token string
		status             int
	}{
		{"a status that does not exist", "user=me&status=lost", ada, 400},
		{"no limit at all", "user=me&limit=0", ada, 400},
		{"too high a limit", "user=me&limit=101", ada, 400},
		{"a limit in words", "user=me&limit=ten", ada, 400},
		{"a made-up cursor", "user=me&cursor=abc", ada, 400},
		{"somebody else's cursor", "user=me&cursor=" + foreign, ada, 400},
		{"something else", "user=me&sort=asc", ada, 400},
		{"one thing twice", "user=me&status=placed&status=packed", ada, 400},
		{"somebody else's orders", "user=grace", ada, 403},
		{"a partner's orders for a user", "partner=acme", ada, 403},
		{"a user's orders for a client", "user=me", company, 403},
		{"nobody's orders", "", company, 400},
		{"a partner's orders", "partner=acme", company, 200},
		{"no token", "user=me", "", 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := api.Get(t, "/orders?"+test.query, test.token)
			if got.Status != test.status {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
			if test.status == 400 && !strings.Contains(got.Body, `"code":"bad_query"`) {
				t.Errorf("the problem is %s", got.Body)
			}
		})
	}
}
