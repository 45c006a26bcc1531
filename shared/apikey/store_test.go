package apikey_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	gocmp "github.com/google/go-cmp/cmp"

	"bff.internal/shared/apikey"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/secret"
)

func TestAKeyIsAsTheContractSays(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	form := regexp.MustCompile(`^pk_([a-z0-9]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$`)
	seen := map[string]bool{}
	for range 200 {
		key, info := create(t, store, apikey.Request{Partner: "acme"})
		parts := form.FindStringSubmatch(key)
		if parts == nil || parts[1] != info.ID {
			t.Fatalf("%s of %s", key, info.ID)
		}
		// The checksum, computed in another way: big.Int.Text has its digits in the order 0-9, a-z, A-Z.
		sum := big.NewInt(int64(crc32.ChecksumIEEE([]byte(key[:len(key)-6])))).Text(62)
		sum = strings.Repeat("0", 6-len(sum)) + strings.Map(swapCase, sum)
		if sum != parts[3] {
			t.Fatalf("%s: checksum %s, want %s", key, parts[3], sum)
		}
		if seen[parts[1]] || seen[parts[2]] {
			t.Fatal("the same twice")
		}
		seen[parts[1]], seen[parts[2]] = true, true
	}
}

func swapCase(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z':
		return r - 'A' + 'a'
	default:
		return r
	}
}

func TestAtRestNoKeyCanBeFound(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	key, info := create(t, store, apikey.Request{Partner: "acme", Note: "first"})
	dump := server.Dump()
	if half := key[len("pk_")+12+1:]; strings.Contains(dump, half) || strings.Contains(dump, half[:43]) {
		t.Errorf("the secret is in Redis:\n%s", dump)
	}
	if !strings.Contains(dump, info.ID) {
		t.Errorf("looked at the wrong place:\n%s", dump)
	}
}

func TestEveryRecordIsKeptAsLongAsItMatters(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	_, forever := create(t, store, apikey.Request{Partner: "acme"})
	_, expires := create(t, store, apikey.Request{Partner: "acme", Expires: time.Now().Add(48 * time.Hour)})
	_, revoked := create(t, store, apikey.Request{Partner: "acme"})
	if _, err := store.Revoke(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	const month = 30 * 24 * time.Hour
	for id, want := range map[string]time.Duration{forever.ID: 0, expires.ID: month + 48*time.Hour, revoked.ID: month} {
		if got := server.TTL("apikey:{" + id + "}"); (got - want).Abs() > time.Minute {
			t.Errorf("%s: TTL %v, want %v", id, got, want)
		}
	}
}

func TestTheList(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	if list, err := store.List(t.Context()); err != nil || list == nil || len(list) != 0 {
		t.Errorf("nothing: %v, %v", list, err)
	}
	var want []apikey.Info
	for i := range 250 {
		_, info := create(t, store, apikey.Request{Partner: fmt.Sprintf("partner-%d", i), Scopes: []string{"b", "a", "b"}, Note: "Größe 1"})
		want = append(want, info)
	}
	byAge := func(a, b apikey.Info) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(want, byAge)
	list, err := store.List(t.Context())
	if diff := gocmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	if !slices.Equal(list[0].Scopes, []string{"a", "b"}) {
		t.Errorf("scopes: %v", list[0].Scopes)
	}
}

func TestARecordThatIsGoneLeavesTheList(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	_, old := create(t, store, apikey.Request{Partner: "acme"})
	_, young := create(t, store, apikey.Request{Partner: "acme"})
	for _, info := range []apikey.Info{old, young} {
		server.Del("apikey:{" + info.ID + "}")
	}
	if _, err := server.ZAdd("apikey:ids", float64(time.Now().Add(-time.Hour).UnixMilli()), old.ID); err != nil {
		t.Fatal(err)
	}
	if list, err := store.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	left, err := server.ZMembers("apikey:ids")
	if diff := gocmp.Diff([]string{young.ID}, left); diff != "" || err != nil {
		t.Errorf("only one that may just be being made stays: %v, %s", err, diff)
	}
}

func TestAKeyThatNobodyKnows(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	if _, err := store.Get(t.Context(), "aaaaaaaaaaaa"); !errors.Is(err, apikey.ErrUnknown) {
		t.Errorf("shown: %v", err)
	}
	if _, err := store.Revoke(t.Context(), "aaaaaaaaaaaa"); !errors.Is(err, apikey.ErrUnknown) {
		t.Errorf("revoked: %v", err)
	}
}

func TestAKeyCanBeRevokedWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := platformtest.WithRedis(t, http.DefaultTransport, server.URL()).Redis
	store := apikey.NewStore(client)
	key, made := create(t, store, apikey.Request{Partner: "acme", Note: "first"})
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Truncate(time.Millisecond)
	info, err := store.Revoke(t.Context(), made.ID)
	if err != nil || info.Revoked.Before(before) {
		t.Fatalf("%+v, %v", info, err)
	}
	made.Revoked = info.Revoked
	if diff := gocmp.Diff(made, info); diff != "" {
		t.Error(diff)
	}
	if got, _ := ask(t, apikey.NewGuard(config(pepperA), store, "partners"), "/", bearer(key)); got.Code != "invalid_key" {
		t.Errorf("%+v", got)
	}
}

func TestABrokenRecordCanBeRevoked(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	_, made := create(t, store, apikey.Request{Partner: "acme"})
	server.HSet("apikey:{"+made.ID+"}", "created", "once")
	if _, err := store.Revoke(t.Context(), made.ID); !errors.Is(err, apikey.ErrUnknown) {
		t.Errorf("%v", err)
	}
	if server.HGet("apikey:{"+made.ID+"}", "revoked") == "" {
		t.Error("it is not marked")
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := apikey.NewStore(connect(t, server))
	good := apikey.Request{Partner: "acme", Scopes: []string{scope}}
	for name, change := range map[string]func(*apikey.Request){
		"no partner":                    func(r *apikey.Request) { r.Partner = "" },
		"a partner with a space":        func(r *apikey.Request) { r.Partner = "a b" },
		"a partner that is a path":      func(r *apikey.Request) { r.Partner = "a/b" },
		"a partner with an escape":      func(r *apikey.Request) { r.Partner = "a%2fb" },
		"an end in more than 100 years": func(r *apikey.Request) { r.Expires = time.Now().AddDate(101, 0, 0) },
		"a note that runs backwards":    func(r *apikey.Request) { r.Note = "a\u202eb" },
		"a partner that is a way up":    func(r *apikey.Request) { r.Partner = ".." },
		"a partner of 129 characters":   func(r *apikey.Request) { r.Partner = strings.Repeat("a", 129) },
		"a partner beyond ASCII":        func(r *apikey.Request) { r.Partner = "größe" },
		"no scope":                      func(r *apikey.Request) { r.Scopes = nil },
		"an empty scope":                func(r *apikey.Request) { r.Scopes = []string{""} },
		"two scopes in one":             func(r *apikey.Request) { r.Scopes = []string{"a b"} },
		"an end that has passed":        func(r *apikey.Request) { r.Expires = time.Now().Add(-time.Second) },
		"a note of two lines":           func(r *apikey.Request) { r.Note = "a\nb" },
		"a note that moves the cursor":  func(r *apikey.Request) { r.Note = "\x1b[2J" },
		"a note that is no text":        func(r *apikey.Request) { r.Note = "\xff" },
		"a note of 201 characters":      func(r *apikey.Request) { r.Note = strings.Repeat("ö", 201) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := good
			change(&request)
			_, _, err := store.Create(t.Context(), config(pepperA), request)
			if _, ok := errors.AsType[*apikey.InvalidError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
	t.Cleanup(func() {
		if keys := server.Keys(); len(keys) > 0 {
			t.Errorf("something was stored: %v", keys)
		}
	})
}

func TestPeppers(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	key, _ := create(t, store, apikey.Request{Partner: "acme"}) // under A
	for _, tt := range []struct {
		name   string
		cfg    apikey.Config
		status int
	}{
		{"the same", config(pepperA), 200},
		{"a newer one before it", config(pepperB, pepperA), 200},
		{"a newer one after it", config(pepperA, pepperB), 200},
		{"spaces between", apikey.Config{Pepper: secret.New(" " + pepperB + " , " + pepperA)}, 200},
		{"another one", config(pepperB), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, _ := ask(t, apikey.NewGuard(tt.cfg, store, "partners"), "/", bearer(key)); got.Status != tt.status {
				t.Errorf("%+v, want %d", got, tt.status)
			}
		})
	}
	t.Run("the first one stores", func(t *testing.T) {
		t.Parallel()
		key, _, err := store.Create(t.Context(), config(pepperB, pepperA), apikey.Request{Partner: "acme", Scopes: []string{scope}})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := ask(t, apikey.NewGuard(config(pepperB), store, "partners"), "/", bearer(key.Reveal())); got.Status != 200 {
			t.Errorf("%+v", got)
		}
	})
	for _, short := range []string{"", "hunter2", pepperA + ",", pepperA + ",hunter2", ","} {
		if err := config(short).Validate(); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), "KEY_PEPPER: ") {
			t.Errorf("%q: %v", short, err)
		}
	}
}

func TestAKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	store := apikey.NewStore(connect(t, miniredis.RunT(t)))
	key, info, err := store.Create(t.Context(), config(pepperA), apikey.Request{Partner: "acme", Scopes: []string{scope}})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal([]any{key, info})
	if err != nil || strings.Contains(fmt.Sprintf("%v %+v %s", key, key, encoded), key.Reveal()) {
		t.Errorf("%v", err)
	}
}

func TestHowAnOperatorNamesAKey(t *testing.T) {
	t.Parallel()
	whole := apikey.WellFormed("abcdefghij12")
	for text, want := range map[string]string{
		"abcdefghij12": "abcdefghij12", "pk_abcdefghij12": "abcdefghij12", whole: "abcdefghij12",
		whole[:20]: "", "": "", "pk_": "", "ABCDEFGHIJ12": "", "abcdefghij1": "", "abcdefghij12*": "", "../../x": "",
		whole[:len(whole)-1] + "_": "",
	} {
		if id, ok := apikey.ParseID(text); ok != (want != "") || (ok && id != want) {
			t.Errorf("%q: %q, %v", text, id, ok)
		}
	}
}
