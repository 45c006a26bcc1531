package cache_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bff.internal/shared/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	second = time.Second
	// large is a store that nothing in a test crowds.
	large = 1 << 24
)

// noon is when the answers came whose entries are judged without a store.
var noon = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)

// header is made of lines, as they are on the wire.
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimPrefix(value, " "))
	}
	return h
}

// answered is an exchange of no duration at that time, with the lines in the header of the answer.
func answered(at time.Time, lines ...string) cache.Exchange {
	return cache.Exchange{Response: header(lines...), Value: "value", Size: 100, Asked: at, Answered: at}
}

// entry is one that was answered at noon.
func entry(t *testing.T, lines ...string) *cache.Entry {
	t.Helper()
	e := cache.NewEntry(answered(noon, lines...))
	if e == nil {
		t.Fatalf("%q is not kept", lines)
	}
	return e
}

// keyOf is the key of one answer to that caller.
func keyOf(caller string) cache.Key {
	return cache.Key{Caller: caller, Service: "orders", Target: "/orders?status=active", As: reflect.TypeFor[string]()}
}

// value is that of an entry of the store, or "" when there is none.
func value(e *cache.Entry) string {
	if e == nil {
		return ""
	}
	return e.Value().(string) //nolint:forcetypeassert // all values of these tests are strings
}

// put keeps a value that was asked for now.
func put(s *cache.Store, key cache.Key, value string, lines ...string) {
	x := answered(time.Now(), lines...)
	x.Mark, x.Value = s.Now(), value
	s.Put(key, cache.NewEntry(x))
}
