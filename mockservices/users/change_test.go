package users_test

import (
	"net/http"
	"strings"
	"testing"

	"bff.internal/mockservices/internal/standintest"
)

func TestChange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   string
		status int
		want   string // a part of the answer
	}{
		{"a name", `{"name":"Ada King"}`, 200, `"name":"Ada King"`},
		{"everything that can change", `{"name":"A","phone":"+4930123456","locale":"fr"}`, 200, `"phone":"+4930123456"`},
		{"nothing", `{}`, 200, `"name":"Ada Lovelace"`},
		{"null changes nothing", `{"name":null}`, 200, `"name":"Ada Lovelace"`},
		{"what cannot change", `{"tier":"gold"}`, 400, `"pointer":"/tier"`},
		{"a name of another type", `{"name":1}`, 400, `"pointer":"/name"`},
		{"an empty name", `{"name":" "}`, 422, `"pointer":"/name"`},
		{"a name with a line break", `{"name":"a\nb"}`, 422, `"pointer":"/name"`},
		{"an endless name", `{"name":"` + strings.Repeat("a", 101) + `"}`, 422, `"pointer":"/name"`},
		{"a local phone number", `{"phone":"030 123456"}`, 422, `"pointer":"/phone"`},
		{"a language by its name", `{"locale":"english"}`, 422, `"pointer":"/locale"`},
		{"no JSON", `name=Ada`, 400, `"code":"bad_body"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			world, api := newAPI(t)
			ada, grace := world.Mobile(t, "ada"), world.Mobile(t, "grace")
			before, other := api.Get(t, "/users/me", ada), api.Get(t, "/users/me", grace)
			got := patch(t, api, ada, test.body)
			if got.Status != test.status || !strings.Contains(got.Body, test.want) || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answer: %d %v %s", got.Status, got.Header, got.Body)
			}
			want := before.Body
			if test.status == 200 {
				want = got.Body
			}
			after := api.Get(t, "/users/me", ada)
			if after.Body != want || (after.Body == before.Body) != (after.Header.Get("ETag") == before.Header.Get("ETag")) {
				t.Errorf("afterwards: %v %s", after.Header, after.Body)
			}
			if api.Get(t, "/users/me", grace).Body != other.Body {
				t.Error("somebody else changed as well")
			}
		})
	}
}

func TestChangesAddUp(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada := world.Mobile(t, "ada")
	patch(t, api, ada, `{"name":"Ada King"}`)
	got := patch(t, api, ada, `{"locale":"fr-FR"}`)
	if !strings.Contains(got.Body, `"name":"Ada King"`) || !strings.Contains(got.Body, `"locale":"fr-FR"`) {
		t.Errorf("answer: %s", got.Body)
	}
}

func patch(t *testing.T, api *standintest.Client, bearer, body string) standintest.Answer {
	t.Helper()
	return api.Do(t, standintest.Request{
		Method: http.MethodPatch, Path: "/users/me", Token: bearer, Body: body,
		Header: map[string]string{"Content-Type": "application/json"},
	})
}
