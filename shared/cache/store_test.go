package cache_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/cache"
)

const (
	fresh  = "Cache-Control: max-age=60"
	public = "Cache-Control: public, max-age=60"
)

func TestGet(t *testing.T) {
	t.Parallel()
	ada, bob, nobody := keyOf("ada"), keyOf("bob"), keyOf("")
	other := func(change func(*cache.Key)) cache.Key {
		k := ada
		change(&k)
		return k
	}
	for _, row := range []struct {
		name string
		do   func(*cache.Store)
		get  cache.Key
		want string
	}{
		{name: "an empty store has nothing", do: func(*cache.Store) {}, get: ada},
		{name: "a caller gets what is his", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: ada, want: "ada's"},
		{name: "nobody else gets it", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: bob},
		{name: "nor who has no name", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: nobody},
		{name: "another service has its own", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: other(func(k *cache.Key) { k.Service = "users" })},
		{name: "another target has its own", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: other(func(k *cache.Key) { k.Target = "/orders" })},
		{name: "another type has its own", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: other(func(k *cache.Key) { k.As = reflect.TypeFor[int]() })},
		{name: "parts of a key do not run into each other", do: func(s *cache.Store) { put(s, ada, "ada's", fresh) }, get: other(func(k *cache.Key) { k.Caller, k.Service = "adao", "rders" })},
		{name: "the last one counts", do: func(s *cache.Store) { put(s, ada, "first", fresh); put(s, ada, "second", fresh) }, get: ada, want: "second"},
		{name: "everybody gets what is public", do: func(s *cache.Store) { put(s, ada, "all's", public) }, get: bob, want: "all's"},
		{name: "those without a name too", do: func(s *cache.Store) { put(s, ada, "all's", public) }, get: nobody, want: "all's"},
		{name: "what varies by who asks is not public", do: func(s *cache.Store) { put(s, ada, "ada's", public, "Vary: Authorization") }, get: bob},
		{name: "what is one's own comes first", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); put(s, bob, "all's", public) }, get: ada, want: "ada's"},
		{name: "what has become public is no longer one's own", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); put(s, ada, "all's", public) }, get: ada, want: "all's"},
		{name: "what nobody asked for by name is nobody's", do: func(s *cache.Store) { put(s, nobody, "whose", fresh) }, get: nobody},
		{name: "nothing is put by nil", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Put(ada, nil) }, get: ada, want: "ada's"},
		{name: "what is replaced by something too large is gone", do: func(s *cache.Store) {
			put(s, ada, "ada's", fresh)
			put(s, ada, "large", fresh, "ETag: "+strings.Repeat("x", large/16))
		}, get: ada},
		{name: "what is forgotten is gone", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Forget(ada) }, get: ada},
		{name: "what is public is forgotten too", do: func(s *cache.Store) { put(s, bob, "all's", public); s.Forget(ada) }, get: bob},
		{name: "others forget nothing", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Forget(bob) }, get: ada, want: "ada's"},
		{name: "a write makes it invalid", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Changed("ada", "orders") }, get: ada},
		{name: "what is asked for after the write is good", do: func(s *cache.Store) { s.Changed("ada", "orders"); put(s, ada, "ada's", fresh) }, get: ada, want: "ada's"},
		{name: "a write to another service leaves it", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Changed("ada", "users") }, get: ada, want: "ada's"},
		{name: "a write of another caller leaves it", do: func(s *cache.Store) { put(s, ada, "ada's", fresh); s.Changed("bob", "orders") }, get: ada, want: "ada's"},
		{name: "any write makes what is public invalid", do: func(s *cache.Store) { put(s, ada, "all's", public); s.Changed("bob", "orders") }, get: ada},
		{name: "a write to another service leaves what is public", do: func(s *cache.Store) { put(s, ada, "all's", public); s.Changed("ada", "users") }, get: bob, want: "all's"},
		{name: "an invalid one does not hide what is public", do: func(s *cache.Store) {
			put(s, ada, "ada's", fresh)
			s.Changed("ada", "orders")
			put(s, bob, "all's", public)
		}, get: ada, want: "all's"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cache.New(large)
			row.do(s)
			if got := value(s.Get(row.get, nil)); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestVary(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		vary      []string
		then, now []string
		isForThis bool
	}{
		{name: "without Vary it is for every request", then: []string{"Accept: a"}, now: []string{"Accept: b"}, isForThis: true},
		{name: "the same field is the same request", vary: []string{"Vary: Accept"}, then: []string{"Accept: a", "X: 1"}, now: []string{"Accept: a", "X: 2"}, isForThis: true},
		{name: "another field is another request", vary: []string{"Vary: Accept"}, then: []string{"Accept: a"}, now: []string{"Accept: b"}},
		{name: "another token is another request", vary: []string{"Vary: Authorization"}, then: []string{"Authorization: Bearer a"}, now: []string{"Authorization: Bearer b"}},
		{name: "no field is another request", vary: []string{"Vary: Accept"}, then: []string{"Accept: a"}},
		{name: "an empty field is not the same as none", vary: []string{"Vary: Accept"}, then: []string{"Accept:"}},
		{name: "none is the same as none", vary: []string{"Vary: Accept"}, isForThis: true},
		{name: "the case of names does not matter", vary: []string{"Vary: aCCept"}, then: []string{"Accept: a"}, now: []string{"Accept: b"}},
		{name: "every name counts", vary: []string{"Vary: Accept, Accept-Language"}, then: []string{"Accept: a", "Accept-Language: de"}, now: []string{"Accept: a", "Accept-Language: fr"}},
		{name: "every line counts", vary: []string{"Vary: Accept", "Vary: Accept-Language"}, then: []string{"Accept: a", "Accept-Language: de"}, now: []string{"Accept: a", "Accept-Language: fr"}},
		{name: "lines are one list", vary: []string{"Vary: Accept"}, then: []string{"Accept: a", "Accept: b"}, now: []string{"Accept: a, b"}, isForThis: true},
		{name: "spaces around a line do not count", vary: []string{"Vary: Accept"}, then: []string{"Accept: a"}, now: []string{"Accept: a "}, isForThis: true},
		{name: "the order of values counts", vary: []string{"Vary: Accept"}, then: []string{"Accept: a, b"}, now: []string{"Accept: b, a"}},
		{name: "fields do not run into each other", vary: []string{"Vary: A, B"}, then: []string{"A: xy", "B: z"}, now: []string{"A: x", "B: yz"}},
		{name: "fields do not stand for each other", vary: []string{"Vary: A, B"}, then: []string{"A: x"}, now: []string{"B: x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cache.New(large)
			x := answered(time.Now(), append(row.vary, tag)...)
			x.Request = header(row.then...)
			s.Put(keyOf("ada"), cache.NewEntry(x))
			if got := s.Get(keyOf("ada"), header(row.now...)) != nil; got != row.isForThis {
				t.Errorf("is for this request: %v", got)
			}
			if s.Get(keyOf("ada"), header(row.then...)) == nil {
				t.Error("is not for its own request")
			}
		})
	}
}

func TestAnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	s := cache.New(large)
	ada := keyOf("ada")
	early := answered(time.Now(), fresh)
	early.Mark = s.Now()
	s.Changed("ada", "orders")
	put(s, ada, "new", fresh)
	s.Put(ada, cache.NewEntry(early))
	if got := value(s.Get(ada, nil)); got != "new" {
		t.Errorf("got %q", got)
	}
	early.Response = header(public)
	s.Put(ada, cache.NewEntry(early))
	if got := value(s.Get(keyOf("bob"), nil)); got != "" {
		t.Errorf("bob got %q", got)
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	s := cache.New(large)
	before := s.Now()
	s.Changed("ada", "orders")
	after := s.Now()
	for _, row := range []struct {
		name            string
		mark            cache.Mark
		caller, service string
		want            bool
	}{
		{name: "the caller's change came after the mark", mark: before, caller: "ada", service: "orders", want: true},
		{name: "it did not come after the next mark", mark: after, caller: "ada", service: "orders"},
		{name: "others did not change anything", mark: before, caller: "bob", service: "orders"},
		{name: "another service was not changed", mark: before, caller: "ada", service: "users"},
		{name: "what is public was changed", mark: before, service: "orders", want: true},
		{name: "what is public was not changed again", mark: after, service: "orders"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := s.Since(row.mark, row.caller, row.service); got != row.want {
				t.Errorf("changed: %v", got)
			}
		})
	}
}
