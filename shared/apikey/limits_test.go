package apikey_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	miniserver "github.com/alicebob/miniredis/v2/server"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"bff.internal/shared/apikey"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

func TestARedisThatHangsIsWaitedFor120Milliseconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{
			ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, ReadTimeout: -1, WriteTimeout: -1, Protocol: 2, DisableIdentity: true,
			Dialer: func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe()
				t.Cleanup(func() { _, _ = here.Close(), there.Close() })
				return here, nil // nobody reads at the other end
			},
		})
		t.Cleanup(func() { _ = client.Close() })
		guard := apikey.NewGuard(config(pepperA), apikey.NewStore(client), "partners")
		begun := time.Now()
		got, _ := ask(t, guard, "/", bearer(apikey.WellFormed("aaaaaaaaaaaa")))
		if want := (answer{Status: 503, Code: "identity_unavailable"}); got != want || time.Since(begun) != 120*time.Millisecond {
			t.Errorf("%+v after %v", got, time.Since(begun))
		}
	})
}

func TestTheLogKnowsWhoIsCallingAlsoWhenTheScopeIsMissing(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	for _, scopes := range [][]string{{scope}, {"something:else"}} {
		key, _ := create(t, store, apikey.Request{Partner: "acme", Scopes: scopes})
		event := telemetry.NewEvent("r1")
		req := httptest.NewRequestWithContext(telemetry.WithEvent(t.Context(), event), http.MethodGet, "/", http.NoBody)
		req.Header = bearer(key)
		guard.Require(scope, func(http.ResponseWriter, *http.Request, error) {})(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
		logged := map[string]string{}
		for _, attr := range event.Attrs() {
			logged[attr.Key] = attr.Value.String()
		}
		if diff := cmp.Diff(map[string]string{"callerKind": "partner", "callerId": "acme"}, map[string]string{"callerKind": logged["callerKind"], "callerId": logged["callerId"]}); diff != "" {
			t.Errorf("%v: %s in %v", scopes, diff, logged)
		}
	}
}

func TestAGuardWithoutAPepperIsAMistake(t *testing.T) {
	t.Parallel()
	defer func() {
		if said, _ := recover().(string); !strings.HasPrefix(said, "apikey: KEY_PEPPER: ") {
			t.Errorf("said %q", said)
		}
	}()
	apikey.NewGuard(config("short"), apikey.NewStore(nil), "partners")
}

// refuse answers a command of Redis with an error.
func refuse(server *miniredis.Miniredis, refused string) {
	server.Server().SetPreHook(func(peer *miniserver.Peer, command string, _ ...string) bool {
		if command == refused {
			peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
			return true
		}
		return false
	})
}

func TestAKeyThatCannotBeStoredIsNotMade(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"ZADD", "HSET"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			store := apikey.NewStore(connect(t, server))
			refuse(server, command)
			key, _, err := store.Create(t.Context(), config(pepperA), apikey.Request{Partner: "acme", Scopes: []string{scope}})
			if err == nil || !key.IsZero() {
				t.Errorf("%v, and a key: %t", err, !key.IsZero())
			}
			for _, name := range server.Keys() {
				if name != "apikey:ids" { // an id without a key hurts nobody, a key without its id is in no list
					t.Errorf("%s was stored", name)
				}
			}
		})
	}
}

func TestAKeyThatIsGoneDoesNotComeBack(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	guard := apikey.NewGuard(config(pepperA), store, "partners")
	if _, err := store.Revoke(t.Context(), "aaaaaaaaaaaa"); err == nil || len(server.Keys()) > 0 {
		t.Errorf("revoking nothing: %v, left %v", err, server.Keys())
	}
	key, info := create(t, store, apikey.Request{Partner: "acme"})
	server.Server().SetPreHook(func(_ *miniserver.Peer, command string, _ ...string) bool {
		if strings.HasPrefix(command, "EVAL") {
			server.Del("apikey:{" + info.ID + "}") // between the look-up and the note
		}
		return false
	})
	ask(t, guard, "/", bearer(key))
	if server.Exists("apikey:{" + info.ID + "}") {
		t.Error("noting its use has brought it back")
	}
}

func TestTheFirstRevocationCounts(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	_, info := create(t, store, apikey.Request{Partner: "acme"})
	name := "apikey:{" + info.ID + "}"
	server.HSet(name, "revoked", "1000")
	server.SetTTL(name, time.Hour)
	again, err := store.Revoke(t.Context(), info.ID)
	if err != nil || !again.Revoked.Equal(time.UnixMilli(1000)) || server.TTL(name) != time.Hour {
		t.Errorf("revoked %v, kept for %v, %v", again.Revoked, server.TTL(name), err)
	}
}

func TestWhatBecameOfAKey(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		name string
		info apikey.Info
		want string
	}{
		{"nothing", apikey.Info{}, "active"},
		{"it ends later", apikey.Info{Expires: now.Add(1)}, "active"},
		{"it ends now", apikey.Info{Expires: now}, "expired"},
		{"it was revoked", apikey.Info{Revoked: now}, "revoked"},
		{"it was revoked, and has expired since", apikey.Info{Revoked: now.Add(-2), Expires: now.Add(-1)}, "revoked"},
	} {
		if got := tt.info.Status(now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestRequestsAtTheirLimits(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	scopes := []string{"b", strings.Repeat("a", 64)}
	for name, request := range map[string]apikey.Request{
		"a partner of 128 characters": {Partner: strings.Repeat("a", 128), Scopes: scopes},
		"a note of 200 characters":    {Partner: "acme", Scopes: scopes, Note: strings.Repeat("ö", 200)},
	} {
		if _, _, err := store.Create(t.Context(), config(pepperA), request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Equal(scopes, []string{"b", strings.Repeat("a", 64)}) {
		t.Errorf("the caller's scopes were changed: %v", scopes)
	}
	for name, request := range map[string]apikey.Request{
		"a partner that is here":   {Partner: ".", Scopes: scopes},
		"a scope of 65 characters": {Partner: "acme", Scopes: []string{strings.Repeat("a", 65)}},
	} {
		if _, _, err := store.Create(t.Context(), config(pepperA), request); err == nil {
			t.Errorf("%s: it was made", name)
		}
	}
	if err := config(strings.Repeat("p", 31)).Validate(); err == nil {
		t.Error("a pepper of 31 characters is long enough")
	}
}

func TestWithoutRedisAMistypedKeyIsKnownAsSuch(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	guard := apikey.NewGuard(config(pepperA), apikey.NewStore(connect(t, server)), "partners")
	server.Close()
	key := apikey.WellFormed("aaaaaaaaaaaa")
	mistyped := strings.Replace(key, "pk_a", "pk_b", 1)
	if got, _ := ask(t, guard, "/", bearer(mistyped)); got.Code != "invalid_key" {
		t.Errorf("%+v", got)
	}
	if _, ok := apikey.ParseID(mistyped); ok {
		t.Error("an operator may mistype a whole key")
	}
	var said *problem.Problem
	var cause error
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) { said, cause = problem.From(err), err }
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	req.Header = bearer(key)
	guard.Require(scope, fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
	if said.Header("Retry-After") != "1" || !strings.Contains(cause.Error(), "refused") {
		t.Errorf("Retry-After %q, and for the log: %v", said.Header("Retry-After"), cause)
	}
}

func TestWhereElseKeysArePutIntoURLs(t *testing.T) {
	t.Parallel()
	guard := apikey.NewGuard(config(pepperA), apikey.NewStore(connect(t, miniredis.RunT(t))), "partners")
	for _, query := range []string{"api_key=x", "api-key=x", "apikey=x", "X-API-Key=x", "access_token=x", "a=1;api_key=x", "a=1&api_key", "%zz=1&api_key=x"} {
		if got, _ := ask(t, guard, "/?"+query, bearer("x")); got.Code != "key_in_url" {
			t.Errorf("%s: %+v", query, got)
		}
	}
}
