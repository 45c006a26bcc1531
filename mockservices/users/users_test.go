package users_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
	"bff.internal/mockservices/users"
)

func newAPI(t *testing.T) (*standintest.World, *standintest.Client) {
	t.Helper()
	world := standintest.New(t)
	return world, standintest.Serve(t, users.New(token.NewVerifier(world.Trusted)))
}

func TestUser(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	got := api.Get(t, "/users/me", world.Mobile(t, "ada"))
	const want = `{
		"id": "ada",
		"name": "Ada Lovelace",
		"email": "ada@example.com",
		"phone": "+44208463656",
		"avatarUrl": "https://avatars.example.com/ada.png",
		"locale": "en-GB",
		"tier": "gold",
		"createdAt": "2022-07-16T11:13:18Z",
		"address": {"street": "20 Harbour Street", "city": "London", "postalCode": "E1 2AB", "country": "GB"},
		"preferences": {"newsletter": false, "notifications": "push", "currency": "GBP", "theme": "dark"}
	}`
	if diff := cmp.Diff(compact(t, want), got.Body); diff != "" {
		t.Error(diff)
	}
	if got.Status != 200 || got.Header.Get("Cache-Control") != "private, max-age=30, stale-if-error=300" ||
		got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer: %d %v", got.Status, got.Header)
	}
	if again := api.Get(t, "/users/ada", world.Mobile(t, "ada")); again.Body != got.Body {
		t.Errorf("/users/ada is %s", again.Body)
	}
}

// compact is a JSON text as it goes over the wire.
func compact(t *testing.T, text string) string {
	t.Helper()
	var short bytes.Buffer
	if err := json.Compact(&short, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return short.String()
}

func TestEveryIDIsAUser(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	seen := map[string]bool{}
	for _, id := range append([]string{"ada", "grace", "u-1", "auth0|62f1", "a%2Fb", "Linus@Example.org"}, numbered(200)...) {
		got := api.Get(t, "/users/me", world.Mobile(t, id))
		if len(got.Body) < 350 || len(got.Body) > 450 {
			t.Errorf("%s has %d bytes: %s", id, len(got.Body), got.Body)
		}
		var user struct {
			ID, Name, Email, Phone, AvatarURL, Locale, Tier string

			CreatedAt time.Time
		}
		if err := json.Unmarshal([]byte(got.Body), &user); err != nil {
			t.Fatal(err)
		}
		if user.ID != id || user.CreatedAt.IsZero() || user.CreatedAt.After(time.Now()) || strings.Count(user.Email, "@") != 1 {
			t.Errorf("%s is %+v", id, user)
		}
		seen[got.Body] = true
	}
	if len(seen) != 206 {
		t.Errorf("206 ids are %d users", len(seen))
	}
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%06d", i*4999)
	}
	return ids
}

func TestRevalidation(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, grace := world.Mobile(t, "ada"), world.Mobile(t, "grace")
	tag := api.Get(t, "/users/me", ada).Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) {
		t.Fatalf("the tag is %q, which is not strong", tag)
	}
	tests := []struct {
		name, method, token, match string
		status                     int
	}{
		{"the tag", "GET", ada, tag, 304},
		{"the tag, weakened on the way", "GET", ada, "W/" + tag, 304},
		{"the tag among others", "GET", ada, `"x", ` + tag, 304},
		{"any tag", "GET", ada, "*", 304},
		{"the tag with HEAD", "HEAD", ada, tag, 304},
		{"another tag", "GET", ada, `"x"`, 200},
		{"somebody else's tag", "GET", grace, tag, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{"If-None-Match": test.match}
			got := api.Do(t, standintest.Request{Method: test.method, Path: "/users/me", Token: test.token, Header: header})
			if got.Status != test.status || got.Header.Get("ETag") == "" || got.Header.Get("Cache-Control") == "" {
				t.Errorf("answer: %d %v", got.Status, got.Header)
			}
			if got.Status == 304 && got.Body != "" {
				t.Errorf("a 304 carries %s", got.Body)
			}
		})
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	get := api.Get(t, "/users/me", world.Mobile(t, "ada"))
	head := api.Do(t, standintest.Request{Method: http.MethodHead, Path: "/users/me", Token: world.Mobile(t, "ada")})
	get.Header.Del("Date")
	head.Header.Del("Date")
	if diff := cmp.Diff(get.Header, head.Header); diff != "" || head.Body != "" || head.Status != 200 {
		t.Errorf("HEAD: %d %s %s", head.Status, diff, head.Body)
	}
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	ada, company := world.Mobile(t, "ada"), world.Partner(t)
	tests := []struct {
		name, path, token string
		status            int
	}{
		{"a user sees itself", "/users/ada", ada, 200},
		{"a user does not see another", "/users/grace", ada, 403},
		{"a user does not see a partner", "/partners/acme", ada, 403},
		{"the client for partners sees a partner", "/partners/acme", company, 200},
		{"the client for partners is no user", "/users/me", company, 403},
		{"nor by its id", "/users/bff-partner", company, 403},
		{"an id that nobody can have is no partner", "/partners/%20", company, 404},
		{"nobody sees nothing", "/users/me", "", 401},
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

func TestPartner(t *testing.T) {
	t.Parallel()
	world, api := newAPI(t)
	got := api.Get(t, "/partners/acme", world.Partner(t))
	const want = `{
		"id": "acme",
		"name": "Dahl Logistics",
		"email": "acme@partners.example.com",
		"phone": "+44204792076",
		"plan": "starter",
		"contact": "Claude Liskov",
		"createdAt": "2021-11-11T15:34:42Z",
		"address": {"street": "31 Station Road", "city": "London", "postalCode": "E4 5AB", "country": "GB"}
	}`
	if diff := cmp.Diff(compact(t, want), got.Body); diff != "" {
		t.Error(diff)
	}
	if got.Header.Get("ETag") == "" || got.Header.Get("Cache-Control") != "private, max-age=30, stale-if-error=300" {
		t.Errorf("headers: %v", got.Header)
	}
}
