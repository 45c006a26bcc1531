package cache_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"bff.internal/shared/cache"
)

// gets are reads that cost no memory.
var gets = []struct {
	name    string
	put     []string
	request http.Header
	caller  string
	hit     bool
}{
	{name: "hit", put: []string{fresh}, caller: "ada", hit: true},
	{name: "hit of what is public", put: []string{public}, caller: "bob", hit: true},
	{name: "hit of what varies", put: []string{fresh, "Vary: Accept, Accept-Language"}, request: header("Accept: a", "Accept-Language: de"), caller: "ada", hit: true},
	{name: "miss", caller: "ada"},
}

func TestGetCostsNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for _, row := range gets { //nolint:paralleltest // the same
		t.Run(row.name, func(t *testing.T) {
			s := filled(row.put, row.request)
			key := keyOf(row.caller)
			if n := testing.AllocsPerRun(1000, func() { s.Get(key, row.request) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func filled(lines []string, request http.Header) *cache.Store {
	s := cache.New(large)
	if lines != nil {
		x := answered(time.Now(), lines...)
		x.Request = request
		s.Put(keyOf("ada"), cache.NewEntry(x))
	}
	return s
}

func BenchmarkGet(b *testing.B) {
	for _, row := range gets {
		b.Run(row.name, func(b *testing.B) {
			s, key := filled(row.put, row.request), keyOf(row.caller)
			b.ReportAllocs()
			for b.Loop() {
				if (s.Get(key, row.request) != nil) != row.hit {
					b.Fatal("not what it is called")
				}
			}
		})
	}
}

func BenchmarkHitsAtOnce(b *testing.B) {
	s, key := filled([]string{fresh}, nil), keyOf("ada")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Get(key, nil)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := cache.New(1 << 20)
	keys := make([]cache.Key, 10_000)
	for i := range keys {
		keys[i] = keyOf(strconv.Itoa(i))
	}
	e := cache.NewEntry(answered(time.Now(), fresh, tag))
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		s.Put(keys[i%len(keys)], e)
		i++
	}
}

func BenchmarkNewEntry(b *testing.B) {
	x := answered(time.Now(), `Cache-Control: private, max-age=60, stale-if-error=600`, tag, "Date: "+dateNoon, "Vary: Accept")
	b.ReportAllocs()
	for b.Loop() {
		if cache.NewEntry(x) == nil {
			b.Fatal("is not kept")
		}
	}
}
