package orders_test

import (
	"testing"

	"bff.internal/shared/clients/orders"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestWhoseOrdersAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		query orders.Query
		want  string // the URL's query, or "" where nothing is asked
	}{
		{"the caller's", orders.Query{User: "me", Status: "active"}, "status=active&user=me"},
		{"the caller's, of any status", orders.Query{User: "me"}, "user=me"},
		{"a partner's", orders.Query{Partner: "acme", Status: "active"}, "partner=acme&status=active"},
		{"those of a partner whose id looks like a query", orders.Query{Partner: "a&user=me"}, "partner=a%26user%3Dme"},
		{"nobody's", orders.Query{Status: "active"}, ""},
		{"those of two", orders.Query{User: "me", Partner: "acme"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := &upstreamtest.Transport{}
			script.Answer("/orders", upstreamtest.Answer{Body: `{"orders":[]}`})
			defer func() {
				if thrown := recover(); (thrown != nil) != (tt.want == "") || thrown != nil && len(script.Requests()) != 0 {
					t.Errorf("panic %v after %d requests", thrown, len(script.Requests()))
				}
			}()
			if _, err := orders.New(upstreamtest.Client(t, script)).List(t.Context(), tt.query); err != nil {
				t.Error(err)
			}
			if got := script.Requests()[0].URL.RawQuery; got != tt.want {
				t.Errorf("asked for %q, want %q", got, tt.want)
			}
		})
	}
}
