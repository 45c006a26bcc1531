package apikey_test

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	miniserver "github.com/alicebob/miniredis/v2/server"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"bff.internal/shared/apikey"
	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// A pool of go-redis that could not dial looks once a second whether it was closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	pepperA = "a-pepper-of-at-least-32-characters"
	pepperB = "another-pepper-of-32-characters-or-more"
	scope   = "dashboard:read"
)

func config(list ...string) apikey.Config {
	return apikey.Config{Pepper: secret.New(strings.Join(list, ","))}
}

func connect(t *testing.T, server *miniredis.Miniredis) redis.UniversalClient {
	t.Helper()
	// With more patience than in production, for a busy machine is no Redis that is away.
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func create(t *testing.T, store *apikey.Store, request apikey.Request) (string, apikey.Info) {
	t.Helper()
	if request.Scopes == nil {
		request.Scopes = []string{scope}
	}
	key, info, err := store.Create(t.Context(), config(pepperA), request)
	if err != nil {
		t.Fatal(err)
	}
	return key.Reveal(), info
}

// answer is what a caller sees.
type answer struct {
	Status          int
	Code, Challenge string
}

// ask sends a request past the guard to a handler that answers 200, and returns who it thinks is calling.
func ask(t *testing.T, guard *apikey.Guard, target string, header http.Header) (answer, auth.Caller) {
	t.Helper()
	got, caller := answer{}, auth.Caller{}
	fail := func(w http.ResponseWriter, _ *http.Request, err error) {
		got.Code = problem.From(err).Code
		_ = problem.From(err).Write(w)
	}
	handler := guard.Require(scope, fail)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		caller, _ = auth.CallerFrom(r.Context())
	}))
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	req.Header = header
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	got.Status, got.Challenge = rec.Code, rec.Header().Get("WWW-Authenticate")
	return got, caller
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

const (
	realm     = `Bearer realm="partners"`
	invalid   = realm + `, error="invalid_token"`
	malformed = realm + `, error="invalid_request"`
)

func TestWhoPasses(t *testing.T) {
	t.Parallel()
	client := connect(t, miniredis.RunT(t))
	store := apikey.NewStore(client)
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	other, _ := create(t, store, apikey.Request{Partner: "globex", Scopes: []string{"something:else"}})
	old, _, err := store.Create(t.Context(), config(pepperB), apikey.Request{Partner: "acme", Scopes: []string{scope}})
	if err != nil {
		t.Fatal(err)
	}
	revoked, gone := create(t, store, apikey.Request{Partner: "acme"})
	if _, err := store.Revoke(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	last := key[len(key)-1:]
	mistyped := key[:len(key)-1] + map[bool]string{true: "1", false: "0"}[last == "0"]

	pass := answer{Status: 200}
	for _, tt := range []struct {
		name   string
		target string
		header http.Header
		want   answer
	}{
		{"a bearer key", "/", bearer(key), pass},
		{"a scheme in another case", "/", http.Header{"Authorization": {"bEaReR  " + key}}, pass},
		{"X-API-Key", "/", http.Header{"X-Api-Key": {key}}, pass},
		{"a query that holds no key", "/?window=30d&keys=1&pk_=2", bearer(key), pass},
		{"a malformed query that holds no key", "/?a=%zz;b", bearer(key), pass},

		{"nothing", "/", http.Header{}, answer{401, "missing_key", realm}},
		{"another scheme", "/", http.Header{"Authorization": {"Basic " + key}}, answer{401, "missing_key", realm}},
		{"both headers, even with the same key", "/", http.Header{"Authorization": {"Bearer " + key}, "X-Api-Key": {key}}, answer{400, "invalid_request", malformed}},
		{"Authorization twice", "/", http.Header{"Authorization": {"Bearer " + key, "Bearer " + key}}, answer{400, "invalid_request", malformed}},
		{"X-API-Key twice", "/", http.Header{"X-Api-Key": {key, key}}, answer{400, "invalid_request", malformed}},
		{"an empty bearer", "/", http.Header{"Authorization": {"Bearer "}}, answer{400, "invalid_request", malformed}},
		{"an empty X-API-Key", "/", http.Header{"X-Api-Key": {""}}, answer{400, "invalid_request", malformed}},

		{"a mistyped key", "/", bearer(mistyped), answer{401, "invalid_key", invalid}},
		{"half a key", "/", bearer(key[:40]), answer{401, "invalid_key", invalid}},
		{"a key and more", "/", bearer(key + "x"), answer{401, "invalid_key", invalid}},
		{"a key with a line break", "/", bearer(key + "\n"), answer{401, "invalid_key", invalid}},
		{"a key in capitals", "/", bearer(strings.ToUpper(key)), answer{401, "invalid_key", invalid}},
		{"only the id", "/", bearer("pk_" + info.ID), answer{401, "invalid_key", invalid}},
		{"a JSON web token", "/", bearer("eyJhbGciOiJub25lIn0.e30."), answer{401, "invalid_key", invalid}},
		{"one of 100 KB", "/", bearer(strings.Repeat("k", 100_000)), answer{401, "invalid_key", invalid}},
		{"an unknown id", "/", bearer(apikey.WellFormed("aaaaaaaaaaaa")), answer{401, "invalid_key", invalid}},
		{"a known id with another secret", "/", bearer(apikey.WellFormed(info.ID)), answer{401, "invalid_key", invalid}},
		{"stored under a pepper that is gone", "/", bearer(old.Reveal()), answer{401, "invalid_key", invalid}},
		{"revoked", "/", bearer(revoked), answer{401, "invalid_key", invalid}},
		{"another scope", "/", bearer(other), answer{403, "insufficient_scope", realm + `, error="insufficient_scope", scope="dashboard:read"`}},

		{"a key in the query", "/?key=" + key, http.Header{}, answer{400, "key_in_url", malformed}},
		{"a key in the query beside one in the header", "/?key=" + key, bearer(key), answer{400, "key_in_url", malformed}},
		{"a key in the query, written otherwise", "/?key=" + strings.Replace(key, "pk_", "PK%5f", 1), bearer(key), answer{400, "key_in_url", malformed}},
		{"a key beside an escape that is none", "/?z=%zz&k=%70k%5F" + key[3:], bearer(key), answer{400, "key_in_url", malformed}},
		{"a key as a name in the query", "/?" + key, bearer(key), answer{400, "key_in_url", malformed}},
		{"a key in the path", "/" + key, bearer(key), answer{400, "key_in_url", malformed}},
		{"where keys are put elsewhere", "/?a=1&API_KEY=hunter2", bearer(key), answer{400, "key_in_url", malformed}},
		{"the same with its name escaped", "/?%61pikey=hunter2", bearer(key), answer{400, "key_in_url", malformed}},
		{"an access token in the query", "/?access_token=hunter2", bearer(key), answer{400, "key_in_url", malformed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, caller := ask(t, guard, tt.target, tt.header)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			var want auth.Caller
			if tt.want == pass {
				want = auth.Caller{Kind: "partner", ID: "acme", ClientID: info.ID, Scopes: []string{scope}}
			}
			if diff := cmp.Diff(want, caller); diff != "" {
				t.Errorf("caller: %s", diff)
			}
		})
	}
}

func TestARevocationHoldsForTheNextRequestOnEveryReplica(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	replicas := []*apikey.Guard{
		apikey.NewGuard(config(pepperA), apikey.NewStore(connect(t, server)), "partners"),
		apikey.NewGuard(config(pepperB, pepperA), apikey.NewStore(connect(t, server)), "partners"),
	}
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	for _, replica := range replicas {
		if got, _ := ask(t, replica, "/", bearer(key)); got.Status != http.StatusOK {
			t.Errorf("before: %+v", got)
		}
	}
	first, err := store.Revoke(t.Context(), info.ID)
	if err != nil || first.Revoked.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, replica := range replicas {
		if got, _ := ask(t, replica, "/", bearer(key)); got.Code != "invalid_key" {
			t.Errorf("after: %+v", got)
		}
	}
	again, err := store.Revoke(t.Context(), info.ID)
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("revoked twice: %v, %s", err, diff)
	}
}

func TestAKeyEndsWhenItExpires(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	addr := server.Addr()
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, DisableIdentity: true})
		t.Cleanup(func() { _ = client.Close() })
		store := apikey.NewStore(client)
		guard := apikey.NewGuard(config(pepperA), store, "partners")
		ends := time.Now().Add(time.Hour)
		key, info := create(t, store, apikey.Request{Partner: "acme", Expires: ends})
		if got, caller := ask(t, guard, "/", bearer(key)); got.Status != http.StatusOK || !caller.Expires.Equal(info.Expires) {
			t.Errorf("%+v, %+v", got, caller)
		}
		time.Sleep(time.Until(info.Expires))
		if got, _ := ask(t, guard, "/", bearer(key)); got.Code != "invalid_key" {
			t.Errorf("at its end: %+v", got)
		}
		if info, err := store.Get(t.Context(), info.ID); err != nil || info.Status(time.Now()) != "expired" {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

func TestOnlyTheOwnerOfAKeyLearnsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	if _, err := store.Revoke(t.Context(), info.ID); err != nil {
		t.Fatal(err)
	}
	detail := func(key string) string {
		var said string
		fail := func(_ http.ResponseWriter, _ *http.Request, err error) { said = problem.From(err).Detail }
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		req.Header = bearer(key)
		guard.Require(scope, fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
		return said
	}
	if said := detail(key); !strings.Contains(said, "it is revoked") {
		t.Errorf("to its owner: %s", said)
	}
	known, unknown := detail(apikey.WellFormed(info.ID)), detail(apikey.WellFormed("aaaaaaaaaaaa"))
	if known != unknown || strings.Contains(known, "revoked") {
		t.Errorf("a known id says %q, an unknown one %q", known, unknown)
	}
}

func TestWithoutRedisNobodyIsLetInAndNobodyIsRefused(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	key, _ := create(t, store, apikey.Request{Partner: "acme"})
	addr := server.Addr()
	server.Close()
	for name, key := range map[string]string{"a good key": key, "an unknown one": apikey.WellFormed("aaaaaaaaaaaa")} {
		if got, _ := ask(t, guard, "/", bearer(key)); got != (answer{Status: 503, Code: "identity_unavailable"}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got, _ := ask(t, guard, "/", bearer("mistyped")); got.Status != http.StatusUnauthorized {
		t.Errorf("no key at all needs no Redis: %+v", got)
	}
	if err := server.StartAddr(addr); err != nil {
		t.Fatal(err)
	}
	if got, _ := ask(t, guard, "/", bearer(key)); got.Status != http.StatusOK {
		t.Errorf("with Redis again: %+v", got)
	}
}

func TestWhoLeavesIsNotToldThatRedisIsAway(t *testing.T) {
	t.Parallel()
	guard := apikey.NewGuard(config(pepperA), apikey.NewStore(connect(t, miniredis.RunT(t))), "partners")
	ctx, leave := context.WithCancel(t.Context())
	leave()
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	req.Header = bearer(apikey.WellFormed("aaaaaaaaaaaa"))
	var said *problem.Problem
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) { said = problem.From(err) }
	guard.Require(scope, fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
	if said == nil || said.Status != problem.StatusClientGone {
		t.Errorf("%v", said)
	}
}

func TestTheLastUseIsKnownToAMinuteAndNotedOnce(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	before := time.Now().Truncate(time.Millisecond)
	ask(t, guard, "/", bearer(key))
	used, err := store.Get(t.Context(), info.ID)
	if err != nil || used.LastUsed.Before(before) || used.LastUsed.After(time.Now()) {
		t.Fatalf("used %v, %v", used.LastUsed, err)
	}
	writes := server.CommandCount()
	ask(t, guard, "/", bearer(key))
	if reads := server.CommandCount() - writes; reads != 1 {
		t.Errorf("the next request made %d commands, want one that reads", reads)
	}
	server.HSet("apikey:{"+info.ID+"}", "used", "1000")
	ask(t, guard, "/", bearer(key))
	if used, err := store.Get(t.Context(), info.ID); err != nil || time.Since(used.LastUsed) > time.Minute {
		t.Errorf("a use long ago was not followed: %v, %v", used.LastUsed, err)
	}
}

func TestAUseThatCannotBeNotedRefusesNobody(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	server.Server().SetPreHook(func(peer *miniserver.Peer, command string, _ ...string) bool {
		if strings.HasPrefix(command, "EVAL") {
			peer.WriteError("READONLY You can't write against a read only replica.")
			return true
		}
		return false
	})
	if got, _ := ask(t, guard, "/", bearer(key)); got.Status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	server.Server().SetPreHook(nil)
	if info, err := store.Get(t.Context(), info.ID); err != nil || !info.LastUsed.IsZero() {
		t.Errorf("it was noted: %v, %v", info.LastUsed, err)
	}
}

func TestBrokenRecordsOpenNothing(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{
		"mac": "zz", "partner": "", "expires": "tomorrow", "revoked": "x", "created": "", "scopes": "",
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			store := apikey.NewStore(connect(t, server))
			guard := apikey.NewGuard(config(pepperA), store, "partners")
			key, info := create(t, store, apikey.Request{Partner: "acme"})
			server.HSet("apikey:{"+info.ID+"}", field, value)
			if got, _ := ask(t, guard, "/", bearer(key)); got.Status != http.StatusUnauthorized && got.Status != http.StatusForbidden {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("the MAC of nothing is that of no key", func(t *testing.T) {
		t.Parallel()
		server := miniredis.RunT(t)
		guard := apikey.NewGuard(config(pepperA), apikey.NewStore(connect(t, server)), "partners")
		key := apikey.WellFormed("aaaaaaaaaaaa")
		server.HSet("apikey:{aaaaaaaaaaaa}", "partner", "acme", "mac", hex.EncodeToString(make([]byte, 32)), "scopes", scope, "created", "1")
		if got, _ := ask(t, guard, "/", bearer(key)); got.Code != "invalid_key" {
			t.Errorf("%+v", got)
		}
	})
}
