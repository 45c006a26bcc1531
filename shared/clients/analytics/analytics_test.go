package analytics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestWhoseMetricsAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		query analytics.Query
		want  string // the URL's query, or "" where nothing is asked
	}{
		{"the caller's", analytics.Query{User: "me"}, "user=me&window=30d"},
		{"a partner's", analytics.Query{Partner: "acme"}, "partner=acme&window=30d"},
		{"those of a partner whose id looks like a query", analytics.Query{Partner: "a&user=me"}, "partner=a%26user%3Dme&window=30d"},
		{"nobody's", analytics.Query{}, ""},
		{"those of two", analytics.Query{User: "me", Partner: "acme"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := &upstreamtest.Transport{}
			script.Answer("/metrics", upstreamtest.Answer{Body: `{"window":"30d"}`})
			defer func() {
				if thrown := recover(); (thrown != nil) != (tt.want == "") || thrown != nil && len(script.Requests()) != 0 {
					t.Errorf("panic %v after %d requests", thrown, len(script.Requests()))
				}
			}()
			got, err := analytics.New(upstreamtest.Client(t, script)).Metrics(t.Context(), tt.query)
			if diff := cmp.Diff(&analytics.Metrics{Window: "30d"}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if got := script.Requests()[0].URL.RawQuery; got != tt.want {
				t.Errorf("asked for %q, want %q", got, tt.want)
			}
		})
	}
}
