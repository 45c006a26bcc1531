package bounded_test

import (
	"testing"

	"bff.internal/mockservices/internal/bounded"
)

func TestMapForgetsWhatWasAddedFirst(t *testing.T) {
	t.Parallel()
	m := bounded.NewMap[string, int](2)
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("a", 3) // no younger for that
	m.Put("c", 4)
	m.Put("d", 5)
	want := map[string]int{"c": 4, "d": 5}
	for _, key := range []string{"a", "b", "c", "d"} {
		value, ok := m.Get(key)
		if wanted, there := want[key]; ok != there || value != wanted {
			t.Errorf("%s is %d, %v; want %d, %v", key, value, ok, wanted, there)
		}
	}
}
