package analytics_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/analytics"
	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
)

type metrics struct {
	User, Partner, Window, From, To string

	Totals struct {
		Orders int
		Spent  struct {
			Amount   int
			Currency string
		}
	}
	Series []struct {
		Date          string
		Orders, Spent int
	}
}

func newAPI(t *testing.T) (*standintest.World, *standintest.Client) {
	t.Helper()
	world := standintest.New(t)
	today := time.Date(2026, time.March, 2, 23, 0, 0, 0, time.UTC)
	return world, standintest.Serve(t, analytics.New(token.NewVerifier(world.Trusted), today))
}

func decode(t *testing.T, body string) metrics {
	t.Helper()
	var m metrics
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWindows(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	longest := decode(t, api.Get(t, "/metrics?user=me&window=90d", ada).Body)
	tests := []struct {
		name, query, window, from string
		days                      int
	}{
		{"a week", "?user=me&window=7d", "7d", "2026-02-24", 7},
		{"a month", "?user=me&window=30d", "30d", "2026-02-01", 30},
		{"a month by default", "?user=me", "30d", "2026-02-01", 30},
		{"a quarter, by the user's own id", "?user=ada&window=90d", "90d", "2025-12-03", 90},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := api.Get(t, "/metrics"+test.query, ada)
			m := decode(t, got.Body)
			if m.User != "ada" || m.Partner != "" || m.Window != test.window || m.From != test.from || m.To != "2026-03-02" {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
			orders, spent := 0, 0
			for i, day := range m.Series {
				if want := longest.Series[90-test.days+i]; day != want {
					t.Errorf("%v is %v in a longer window", day, want)
				}
				orders, spent = orders+day.Orders, spent+day.Spent
			}
			if len(m.Series) != test.days || m.Series[0].Date != test.from || orders != m.Totals.Orders ||
				spent != m.Totals.Spent.Amount || m.Totals.Spent.Currency != "EUR" {
				t.Errorf("totals %+v of %d days", m.Totals, len(m.Series))
			}
		})
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	for i := range 200 {
		got := api.Get(t, "/metrics?user=me", world.Mobile(t, fmt.Sprintf("user-%06d", i)))
		if len(got.Body) < 1300 || len(got.Body) > 1600 {
			t.Errorf("user %d has %d bytes", i, len(got.Body))
		}
	}
}

func TestAnswersAreRepeatable(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	first := api.Get(t, "/metrics?user=me", ada)
	if again := api.Get(t, "/metrics?user=me", ada); again.Body != first.Body {
		t.Errorf("%s, then %s", first.Body, again.Body)
	}
	if api.Get(t, "/metrics?user=me", world.Mobile(t, "grace")).Body == first.Body {
		t.Error("two users are alike")
	}
	const lifetime = "private, max-age=60, stale-while-revalidate=60, stale-if-error=600"
	if first.Header.Get("Cache-Control") != lifetime {
		t.Errorf("headers: %v", first.Header)
	}
	header := map[string]string{"If-None-Match": first.Header.Get("ETag")}
	if got := api.Do(t, standintest.Request{Path: "/metrics?user=me", Token: ada, Header: header}); got.Status != 304 || got.Body != "" {
		t.Errorf("revalidation: %d %s", got.Status, got.Body)
	}
}

func TestWhose(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, company := world.Mobile(t, "ada"), world.Partner(t)
	tests := []struct {
		name, query, token string
		status             int
		want               string // a part of the answer
	}{
		{"a user's own without saying so", "", ada, 200, `"user":"ada"`},
		{"another user's", "?user=grace", ada, 403, `"code":"forbidden"`},
		{"a partner's, asked by a user", "?partner=acme", ada, 403, `"code":"forbidden"`},
		{"a partner's", "?partner=acme", company, 200, `{"partner":"acme","window"`},
		{"nobody's", "", company, 400, "partner is missing"},
		{"a user's, asked by a client", "?user=me", company, 403, `"code":"forbidden"`},
		{"both", "?user=me&partner=acme", company, 400, "exclude each other"},
		{"an empty user's", "?user=", ada, 400, "user wants"},
		{"an empty partner's", "?partner=", company, 400, "partner wants"},
		{"a window that is not offered", "?user=me&window=1d", ada, 400, "window wants"},
		{"an empty window", "?user=me&window=", ada, 400, "window wants"},
		{"something else", "?user=me&from=2026-01-01", ada, 400, `\"from\"`},
		{"without a token", "?user=me", "", 401, `"code":"unauthenticated"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := api.Get(t, "/metrics"+test.query, test.token)
			if got.Status != test.status || !strings.Contains(got.Body, test.want) {
				t.Errorf("answer: %d %s", got.Status, got.Body)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	api.Do(t, standintest.Request{Method: "PUT", Path: "/_faults", Body: `{"status":503}`})
	statuses := []int{api.Get(t, "/metrics?user=me", world.Mobile(t, "ada")).Status, api.Get(t, "/livez", "").Status}
	if diff := cmp.Diff([]int{503, 200}, statuses); diff != "" {
		t.Error(diff)
	}
}
