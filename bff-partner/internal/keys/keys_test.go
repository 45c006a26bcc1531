package keys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/bff-partner/internal/keys"
	"bff.internal/shared/apikey"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/secret"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// A pool of go-redis that could not dial looks once a second whether it was closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const pepper = "a-pepper-of-at-least-32-characters"

// environment is a Redis and the variables that lead to it.
func environment(t *testing.T) *miniredis.Miniredis {
	t.Helper()
	server := miniredis.RunT(t)
	t.Setenv("REDIS_URL", "redis://"+server.Addr())
	t.Setenv("KEY_PEPPER", pepper)
	return server
}

// run is bff-partner keys with these arguments.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := keys.Command([]string{"dashboard:read", "orders:read"})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs(args)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

// ran is run of what has to work.
func ran(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// key is a key as the command prints it.
type key struct {
	Key, ID, Partner, Status, Note string
	Scopes                         []string
	Created                        time.Time
	Expires, Revoked, LastUsed     *time.Time
}

func decoded[T any](t *testing.T, text string) (value T) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// status is what a server with this pepper answers to the key.
func status(t *testing.T, server *miniredis.Miniredis, key string) int {
	t.Helper()
	store := apikey.NewStore(platformtest.WithRedis(t, http.DefaultTransport, "redis://"+server.Addr()).Redis)
	guard := apikey.NewGuard(apikey.Config{Pepper: secret.New(pepper)}, store, "test")
	refuse := func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusUnauthorized) }
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	req.Header.Set("X-Api-Key", key)
	rec := httptest.NewRecorder()
	guard.Require("dashboard:read", refuse)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rec, req)
	return rec.Code
}

//nolint:paralleltest // the environment is that of the process
func TestTheLifeOfAKey(t *testing.T) {
	server := environment(t)
	made := decoded[key](t, ran(t, "create", "--partner", "acme", "--note", "staging <1>", "--expires", "90d", "--output", "json"))
	if got := status(t, server, made.Key); got != http.StatusOK {
		t.Fatalf("a new key: %d", got)
	}
	if made.Expires == nil || time.Until(*made.Expires).Round(time.Hour) != 90*24*time.Hour {
		t.Errorf("expires %v", made.Expires)
	}
	whole := made.Key
	want := key{
		ID: whole[3:15], Partner: "acme", Status: "active", Note: "staging <1>", Scopes: []string{"dashboard:read", "orders:read"},
		Created: made.Created, Expires: made.Expires,
	}
	shown := decoded[key](t, ran(t, "show", "--output=json", want.ID))
	if shown.LastUsed == nil {
		t.Error("its use was not noted")
	}
	want.LastUsed = shown.LastUsed
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]key{want}, decoded[[]key](t, ran(t, "list", "--output", "json"))); diff != "" {
		t.Error(diff)
	}
	for _, out := range []string{ran(t, "list"), ran(t, "show", want.ID), ran(t, "list", "--output", "json")} {
		if !strings.Contains(out, want.ID) || strings.Contains(out, whole[16:30]) {
			t.Errorf("it is there, and its secret is not: %s", out)
		}
	}
	revoked := decoded[key](t, ran(t, "revoke", whole, "--output", "json")) // the whole key is a name too
	if revoked.Status != "revoked" || revoked.Revoked == nil {
		t.Errorf("%+v", revoked)
	}
	if got := status(t, server, whole); got != http.StatusUnauthorized {
		t.Errorf("a revoked key: %d", got)
	}
	if again := decoded[key](t, ran(t, "revoke", want.ID, "--output", "json")); !again.Revoked.Equal(*revoked.Revoked) {
		t.Errorf("revoked twice: %v", again.Revoked)
	}
}

//nolint:paralleltest // the environment is that of the process
func TestWhatPeopleRead(t *testing.T) {
	server := environment(t)
	if diff := cmp.Diff("no keys; bff-partner keys create makes one\n", ran(t, "list")); diff != "" {
		t.Error(diff)
	}
	out := ran(t, "create", "--partner", "acme", "--scope", "dashboard:read")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; status(t, server, last) != http.StatusOK {
		t.Errorf("the last line is no key: %s", out)
	}
	form := regexp.MustCompile(`^id         [a-z0-9]{12}\npartner    acme\nstatus     active\nscopes     dashboard:read\nnote       \ncreated    20\d\d-\d\d-\d\d \d\d:\d\dZ\n` +
		`expires    -\nrevoked    -\nlast used  -\n\nThe key, which is not shown again:\n\npk_\w{62}\n$`)
	if !form.MatchString(out) {
		t.Errorf("%s", out)
	}
	ran(t, "create", "--partner", "globex")
	if out := ran(t, "list", "--partner", "globex"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "globex") {
		t.Errorf("%s", out)
	}
	for _, args := range [][]string{nil, {"--help"}, {"create", "--help"}} {
		if out := ran(t, args...); !strings.Contains(out, "Usage:") {
			t.Errorf("%v: %s", args, out)
		}
	}
}

//nolint:paralleltest // the environment is that of the process
func TestMistakesAreOneLineThatHelps(t *testing.T) {
	server := environment(t)
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"no partner", []string{"create"}, `required flag(s) "partner" not set`},
		{"a partner that is none", []string{"create", "--partner", "a b"}, "a partner is an id of 1 to 128 letters, digits and - . _ ~"},
		{"a scope that no route has", []string{"create", "--partner", "acme", "--scope", "admin"}, `there is no scope "admin"; there is dashboard:read, orders:read`},
		{"no scope at all", []string{"create", "--partner", "acme", "--scope", ""}, "a key without a scope opens nothing"},
		{"an end that is none", []string{"create", "--partner", "acme", "--expires", "soon"}, `--expires: "soon" is no end; wants never, 90d, 12h, 2027-06-30 or 2027-06-30T12:00:00Z`},
		{"an end without sense", []string{"create", "--partner", "acme", "--expires", "-3d"}, `--expires: "-3d" is no end`},
		{"an end that means nothing", []string{"create", "--partner", "acme", "--expires", "0001-01-01T00:00:00Z"}, "is no end"},
		{"an end that is too far away", []string{"create", "--partner", "acme", "--expires", "9999-12-31"}, "in more than 100 years"},
		{"a duration that is too long", []string{"create", "--partner", "acme", "--expires", "2562047h"}, "in more than 100 years"},
		{"an end that is empty", []string{"create", "--partner", "acme", "--expires", ""}, `--expires: "" is no end`},
		{"an end before now", []string{"create", "--partner", "acme", "--expires", "-12h"}, `--expires: "-12h" is no end`},
		{"an end after too many days", []string{"create", "--partner", "acme", "--expires", "36501d"}, `--expires: "36501d" is no end`},
		{"an end that is past", []string{"create", "--partner", "acme", "--expires", "2020-01-01"}, "the key would expire before it exists, on 2020-01-02T00:00:00Z"},
		{"another output", []string{"list", "--output", "yaml"}, `wants text or json, not "yaml"`},
		{"no id", []string{"show"}, "accepts 1 arg(s), received 0"},
		{"an id that is none", []string{"show", "acme"}, "that is no id of a key"},
		{"an id that nobody has", []string{"revoke", "aaaaaaaaaaaa"}, "aaaaaaaaaaaa: there is no such key"},
		{"a command that is none", []string{"delete"}, `unknown command "delete" for "keys"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t, tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "REDIS_URL") || out != "" {
				t.Errorf("%v, %q", err, out)
			}
		})
	}
	if left := server.Keys(); len(left) > 0 {
		t.Errorf("something was stored: %v", left)
	}
}

func TestWithoutWhatItNeedsACommandSaysSo(t *testing.T) {
	environment(t)
	t.Run("no pepper: only making a key needs it", func(t *testing.T) {
		t.Setenv("KEY_PEPPER", "")
		if _, err := run(t, "create", "--partner", "acme"); err == nil || !strings.HasPrefix(err.Error(), "KEY_PEPPER: neither it nor KEY_PEPPER_FILE is set") {
			t.Error(err)
		}
		ran(t, "list")
	})
	t.Run("no URL", func(t *testing.T) {
		t.Setenv("REDIS_URL", "")
		if _, err := run(t, "list"); err == nil || !strings.HasPrefix(err.Error(), "REDIS_URL: neither it nor REDIS_URL_FILE is set") {
			t.Error(err)
		}
	})
	t.Run("no Redis", func(t *testing.T) {
		t.Setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:1")
		_, err := run(t, "list")
		if err == nil || !strings.HasPrefix(err.Error(), "the Redis of REDIS_URL does not do what it is asked: ") || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	})
}

//nolint:paralleltest // the environment is that of the process
func TestACommandEndsWithItsContext(t *testing.T) {
	environment(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	command := keys.Command([]string{"dashboard:read"})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs([]string{"list"})
	if err := command.ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

//nolint:paralleltest // the environment is that of the process
func TestAKeyThatCannotBePrintedIsNamed(t *testing.T) {
	environment(t)
	command := keys.Command([]string{"dashboard:read"})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetOut(full{})
	command.SetArgs([]string{"create", "--partner", "acme", "--output", "json"})
	err := command.ExecuteContext(t.Context())
	made := decoded[[]key](t, ran(t, "list", "--output", "json"))
	if len(made) != 1 || err == nil || err.Error() != "the key "+made[0].ID+" was made and could not be printed, so revoke it: no space left on device" {
		t.Errorf("%+v, %v", made, err)
	}
}

//nolint:paralleltest // the environment is that of the process
func TestWhenAKeyEnds(t *testing.T) {
	environment(t)
	for text, want := range map[string]time.Time{
		"2099-06-30":           time.Date(2099, 7, 1, 0, 0, 0, 0, time.UTC),
		"2099-06-30T12:00:00Z": time.Date(2099, 6, 30, 12, 0, 0, 0, time.UTC),
		"12h":                  time.Now().Add(12 * time.Hour),
		"7d":                   time.Now().Add(7 * 24 * time.Hour),
	} {
		made := decoded[key](t, ran(t, "create", "--partner", "acme", "--expires", text, "--output", "json"))
		if made.Expires == nil || made.Expires.Sub(want).Abs() > time.Minute {
			t.Errorf("%s: %v, want %v", text, made.Expires, want)
		}
	}
}
