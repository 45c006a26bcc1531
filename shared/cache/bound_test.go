package cache_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
)

func TestAnEntryIsGoneWhenItIsOfNoUse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lines []string
		until time.Duration
	}{
		{name: "after its lifetime", lines: []string{fresh}, until: time.Minute},
		{name: "what Age took is over", lines: []string{fresh, "Age: 20"}, until: 40 * second},
		{name: "after the longer allowance", lines: []string{fresh, "Cache-Control: stale-while-revalidate=10, stale-if-error=30"}, until: 90 * second},
		{name: "allowances that must not be used do not count", lines: []string{fresh, "Cache-Control: must-revalidate, stale-if-error=30"}, until: time.Minute},
		{name: "one with a tag an hour after it is stale", lines: []string{fresh, tag}, until: time.Hour + time.Minute},
		{name: "one with a date an hour after it is stale", lines: []string{fresh, "Last-Modified: " + dateBefore}, until: time.Hour + time.Minute},
		{name: "one that came stale an hour after it came", lines: []string{fresh, tag, "Age: 9000"}, until: time.Hour},
		{name: "a longer allowance is longer than the hour", lines: []string{fresh, tag, "Cache-Control: stale-if-error=7200"}, until: 2*time.Hour + time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := cache.New(large)
				put(s, keyOf("ada"), "it", row.lines...)
				expectUntil(t, s, row.until)
			})
		})
	}
}

// expectUntil waits until ada's entry is gone, which has to be after that time.
func expectUntil(t *testing.T, s *cache.Store, until time.Duration) {
	t.Helper()
	time.Sleep(until - time.Nanosecond)
	if s.Get(keyOf("ada"), nil) == nil {
		t.Error("is gone too early")
	}
	time.Sleep(time.Nanosecond)
	if s.Get(keyOf("ada"), nil) != nil {
		t.Error("is still there")
	}
}

func TestAStoreFromOutsideFollowsTheClockOfItsUser(t *testing.T) {
	t.Parallel()
	s := cache.New(large)
	synctest.Test(t, func(t *testing.T) {
		put(s, keyOf("ada"), "it", fresh)
		expectUntil(t, s, time.Minute)
	})
}

func TestWhatIsGoneLeavesItsMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := cache.New(large)
		for i := range 100 {
			put(s, keyOf(strconv.Itoa(i)), "it", fresh)
		}
		full := s.Bytes()
		time.Sleep(2 * time.Minute)
		for range 10 {
			put(s, keyOf("ada"), "it", fresh)
		}
		if got := s.Bytes(); s.Entries() != 1 || got > full/50 {
			t.Errorf("%d entries of %d bytes are left; there were %d bytes", s.Entries(), got, full)
		}
	})
}

func TestAStoreNeverHoldsMoreThanItsBytes(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	s := cache.New(limit)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		x := answered(time.Now(), fresh)
		x.Size = random.IntN(16 << 10)
		s.Put(keyOf(strconv.Itoa(i)), cache.NewEntry(x))
		if got := s.Bytes(); got > limit {
			t.Fatalf("%d bytes after %d puts", got, i+1)
		}
	}
	if got := s.Bytes(); got < limit/2 {
		t.Errorf("only %d bytes are used", got)
	}
	if got := s.Entries(); got < 10 || got > limit/1024 {
		t.Errorf("%d entries", got)
	}
}

func TestPutIgnoresWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		limit  int64
		size   int
		lines  []string
		target string
		kept   bool
	}{
		{name: "a small value is kept", limit: 1 << 20, size: 1 << 10, kept: true},
		{name: "a value counts three times", limit: 1 << 20, size: 21 << 10},
		{name: "a value just below is kept", limit: 1 << 20, size: 20 << 10, kept: true},
		{name: "the target counts", limit: 1 << 20, target: strings.Repeat("x", 1<<16)},
		{name: "the header counts", limit: 1 << 20, lines: []string{"ETag: " + strings.Repeat("x", 1<<16)}},
		{name: "what is not stored of the header does not count", limit: 1 << 20, lines: []string{"X: " + strings.Repeat("x", 1<<16)}, kept: true},
		{name: "an entry counts without a value", limit: 1 << 13},
		{name: "a size beyond all numbers", limit: math.MaxInt64, size: math.MaxInt},
		{name: "a weight beyond 32 bits", limit: math.MaxInt64, size: math.MaxUint32},
		{name: "a negative size is none", limit: 1 << 20, size: math.MinInt, kept: true},
		{name: "a size just below nothing is none", limit: 1 << 20, size: -1 << 20, kept: true},
		{name: "a store of nothing keeps nothing"},
		{name: "a store of less than nothing keeps nothing", limit: math.MinInt64},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cache.New(row.limit)
			key := keyOf("ada")
			key.Target += row.target
			x := answered(time.Now(), append(row.lines, fresh)...)
			x.Size = row.size
			s.Put(key, cache.NewEntry(x))
			if got := s.Get(key, nil) != nil; got != row.kept || (s.Entries() == 1) != row.kept || (s.Bytes() > 0) != row.kept {
				t.Errorf("kept: %v, with %d entries of %d bytes", got, s.Entries(), s.Bytes())
			}
		})
	}
}
