package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	good, bad := measured{"0 of 10", true}, measured{"3 of 10", false}
	for _, tt := range []struct {
		name   string
		figure figure
		want   string
	}{
		{name: "ours passes and the naive build does not", figure: figure{ours: good, naive: bad}, want: "PASS"},
		{name: "ours passes, and there is nothing to compare with", figure: figure{ours: good}, want: "PASS"},
		{name: "ours does not pass", figure: figure{ours: bad}, want: "FAIL"},
		{name: "neither passes", figure: figure{ours: bad, naive: bad}, want: "FAIL"},
		{name: "only the naive build passes", figure: figure{ours: bad, naive: good}, want: "FAIL"},
		{name: "the naive build passes as well", figure: figure{ours: good, naive: good}, want: "FAIL: proves nothing, for the naive build passes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.figure.verdict(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheTableShowsEachFigureBesideItsPassLineAndTheNaiveOne(t *testing.T) {
	t.Parallel()
	figures := []figure{
		{"requests that failed", "0 of at least 10", measured{"0 of 12", true}, measured{"3 of 10 (502 × 3)", false}},
		{"exit status", "0", measured{"1", false}, measured{}},
	}
	const want = `         figure                 ours      pass line          naive
  PASS   requests that failed   0 of 12   0 of at least 10   3 of 10 (502 × 3)
  FAIL   exit status            1         0                  -
`
	if diff := cmp.Diff(want, table(figures)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	if count := failed(figures); count != 1 {
		t.Errorf("%d failed", count)
	}
}
