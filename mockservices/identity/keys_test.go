package identity_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func keys(t *testing.T, provider *identity.Provider) *jose.JSONWebKeySet {
	t.Helper()
	recorder := httptest.NewRecorder()
	provider.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/keys", http.NoBody))
	set := new(jose.JSONWebKeySet)
	if err := json.Unmarshal(recorder.Body.Bytes(), set); err != nil {
		t.Fatal(err)
	}
	return set
}

func kids(t *testing.T, provider *identity.Provider) []string {
	t.Helper()
	var all []string
	for _, key := range keys(t, provider).Keys {
		all = append(all, key.KeyID)
	}
	return all
}

func TestKeysAreNotSecret(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	got := api.Get(t, "/keys", "")
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal([]byte(got.Body), &set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		for _, member := range []string{"kid", "x", "y"} {
			if key[member] == "" {
				t.Errorf("%s is missing", member)
			}
			delete(key, member)
		}
	}
	want := []map[string]string{{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"}}
	if diff := cmp.Diff(want, set.Keys); diff != "" {
		t.Error(diff)
	}
	if got.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("headers: %v", got.Header)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	provider, api := newAPI(t)
	first := kids(t, provider)[0]
	got := api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/_rotate"})
	var rotated struct {
		KID string `json:"kid"`
	}
	if err := json.Unmarshal([]byte(got.Body), &rotated); err != nil || got.Status != http.StatusOK {
		t.Fatalf("answer: %d %s", got.Status, got.Body)
	}
	if diff := cmp.Diff([]string{rotated.KID, first}, kids(t, provider)); diff != "" {
		t.Errorf("after rotating: %s", diff)
	}
	expect(t, provider, mint(t, provider), identity.Claims{
		Issuer: standintest.Issuer, Subject: "ada", Audience: "bff-mobile", ClientID: "mobile-app", Scope: "openid profile",
	})
	if err := provider.Retire(first); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{rotated.KID}, kids(t, provider)); diff != "" {
		t.Errorf("after retiring: %s", diff)
	}
}

func TestRetireRefuses(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	for _, kid := range []string{kids(t, provider)[0], "nobody's"} {
		if err := provider.Retire(kid); err == nil {
			t.Errorf("%s was retired", kid)
		}
	}
}

func TestRotatingForeverKeepsEightKeys(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	var newest []string
	for range 20 {
		kid, err := provider.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		newest = append([]string{kid}, newest...)
	}
	if diff := cmp.Diff(newest[:8], kids(t, provider)); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsBreakTheProtocolOnly(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	api.Do(t, standintest.Request{Method: http.MethodPut, Path: "/_faults", Body: `{"status":503}`})
	for path, want := range map[string]int{
		"/keys": 503, "/.well-known/openid-configuration": 503, "/authorize": 503, "/login": 503, "/login.css": 503, "/end_session": 503,
		"/livez": 200,
	} {
		if got := api.Get(t, path, ""); got.Status != want {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	if got := api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/_rotate"}); !strings.Contains(got.Body, "kid") {
		t.Errorf("/_rotate: %d %s", got.Status, got.Body)
	}
}

func mint(t *testing.T, provider *identity.Provider) string {
	t.Helper()
	minted, err := provider.Mint(identity.TokenRequest{User: "ada", Client: "mobile-app"})
	if err != nil {
		t.Fatal(err)
	}
	return minted
}
