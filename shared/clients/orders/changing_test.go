package orders_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/clients/orders"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestAChangeIsVisibleInTheNextReadOfWhoMadeIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(context.Context, *orders.Client) (orders.Order, error)
		path   string
		body   string
		key    string
	}{
		{"an order", func(ctx context.Context, c *orders.Client) (orders.Order, error) {
			return c.Place(ctx, orders.Draft{Items: []orders.DraftItem{{SKU: "BOK-30571", Quantity: 2}}, IdempotencyKey: "k-1"})
		}, "/orders", `{"items":[{"sku":"BOK-30571","quantity":2}]}`, `"k-1"`},
		{"a cancellation", func(ctx context.Context, c *orders.Client) (orders.Order, error) {
			return c.Cancel(ctx, "ord/1")
		}, "/orders/ord/1/cancel", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var changed atomic.Bool
			var reads atomic.Int32
			client := orders.New(upstreamtest.Client(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
				if req.Method == http.MethodPost {
					changed.Store(true)
					checkChange(t, req, tt.path, tt.body, tt.key)
					return upstreamtest.Answer{Status: http.StatusCreated, Body: `{"id":"ord/1","status":"placed"}`}
				}
				reads.Add(1)
				body := `{"orders":[]}`
				if changed.Load() {
					body = `{"orders":[{"id":"ord/1"}]}`
				}
				return upstreamtest.Answer{Body: body, Header: http.Header{"Cache-Control": {"private, max-age=60"}}}
			})))
			ada, bob := as(t, "ada"), as(t, "bob")
			list := func(ctx context.Context) int {
				page, err := client.List(ctx, orders.Query{User: "me"})
				if err != nil {
					t.Error(err)
				}
				return len(page.Orders)
			}
			before := []int{list(ada), list(ada), list(bob)}
			got, err := tt.change(ada, client)
			if diff := cmp.Diff(orders.Order{ID: "ord/1", Status: "placed"}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			after := []int{list(ada), list(ada), list(bob)}
			if diff := cmp.Diff([][]int{{0, 0, 0}, {1, 1, 0}}, [][]int{before, after}); diff != "" || reads.Load() != 3 {
				t.Errorf("%d reads reached the service; orders before and after (-want +got):\n%s", reads.Load(), diff)
			}
		})
	}
}

func TestAnOrderWithoutAnIDWasNotPlaced(t *testing.T) {
	t.Parallel()
	client := orders.New(upstreamtest.Client(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
		return upstreamtest.Answer{Status: http.StatusCreated, Body: `{}`}
	})))
	if got, err := client.Place(t.Context(), orders.Draft{}); err == nil {
		t.Errorf("%+v", got)
	}
}

func as(t *testing.T, caller string) context.Context {
	t.Helper()
	return upstream.WithCredentials(t.Context(), upstream.Credentials{Key: caller})
}

func checkChange(t *testing.T, req *http.Request, path, body, key string) {
	t.Helper()
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
	}
	if req.URL.Path != path || strings.TrimSpace(string(sent)) != body || req.Header.Get("Idempotency-Key") != key {
		t.Errorf("%s %s %q, want %s %s %q", req.URL.Path, sent, req.Header.Get("Idempotency-Key"), path, body, key)
	}
}
