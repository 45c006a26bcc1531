package users_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/clients/users"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestAPartnerIsReadAsTheServiceWritesIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, id, path, body string
		want                 users.Partner
	}{
		{
			name: "a whole one", id: "acme", path: "/partners/acme",
			body: `{"id":"acme","name":"Dahl Logistics","email":"acme@partners.example.com","phone":"+44204792076","plan":"starter",` +
				`"contact":"Claude Liskov","createdAt":"2021-11-11T15:34:42Z",` +
				`"address":{"street":"31 Station Road","city":"London","postalCode":"E4 5AB","country":"GB"},"new":{"later":true}}`,
			want: users.Partner{
				ID: "acme", Name: "Dahl Logistics", Email: "acme@partners.example.com", Phone: "+44204792076", Plan: "starter",
				Contact: "Claude Liskov", CreatedAt: time.Date(2021, 11, 11, 15, 34, 42, 0, time.UTC),
				Address: &users.Address{Street: "31 Station Road", City: "London", PostalCode: "E4 5AB", Country: "GB"},
			},
		},
		{name: "one of whom little is known", id: "acme", path: "/partners/acme", body: `{"id":"acme"}`, want: users.Partner{ID: "acme"}},
		{name: "an id stays one segment", id: "a/b?c", path: "/partners/a%2Fb%3Fc", body: `{"id":"a/b?c"}`, want: users.Partner{ID: "a/b?c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := &upstreamtest.Transport{}
			script.Answer("/partners/"+tt.id, upstreamtest.Answer{Body: tt.body})
			got, err := users.New(upstreamtest.Client(t, script)).Partner(t.Context(), tt.id)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if asked := script.Requests()[0].URL; asked.EscapedPath() != tt.path || asked.RawQuery != "" {
				t.Errorf("asked for %v", asked)
			}
		})
	}
}

func TestAPartnerThatIsNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, id, body string
		kind           upstream.Kind
	}{
		{"without an id", "acme", `{"name":"Dahl Logistics"}`, upstream.BadAnswer},
		{"an empty id", "acme", `{"id":""}`, upstream.BadAnswer},
		{"a list", "acme", `[]`, upstream.BadAnswer},
		{"a time that is none", "acme", `{"id":"acme","createdAt":"yesterday"}`, upstream.BadAnswer},
		{"nobody is asked for", "", `{"id":"acme"}`, upstream.Denied},
		{"an id that would be another path", "..", `{"id":"acme"}`, upstream.Denied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := &upstreamtest.Transport{}
			script.Answer("/partners/acme", upstreamtest.Answer{Body: tt.body})
			got, err := users.New(upstreamtest.Client(t, script)).Partner(t.Context(), tt.id)
			failed, ok := errors.AsType[*upstream.Error](err)
			if !ok || failed.Kind != tt.kind {
				t.Errorf("%v, want %s", err, tt.kind)
			}
			if diff := cmp.Diff(users.Partner{}, got); diff != "" {
				t.Errorf("half a partner: %s", diff)
			}
		})
	}
}
