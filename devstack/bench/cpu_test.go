package main

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const fields = " S 1 4242 4242 0 -1 4194560 1535 0 0 0 123 45 7 8 20 0 9 0 85231 1270898688 3172"
	for _, tt := range []struct {
		name string
		stat string
		want time.Duration
		fail bool
	}{
		{name: "user and system time, without those of children", stat: "4242 (bff-mobile)" + fields, want: 1680 * time.Millisecond},
		{name: "a name with spaces and parentheses", stat: "4242 (a) S 9 (b" + ")" + fields, want: 1680 * time.Millisecond},
		{name: "nothing", fail: true},
		{name: "too short", stat: "4242 (bare) S 1 4242", fail: true},
		{name: "no number", stat: "4242 (bare) S 1 2 3 0 -1 4 5 0 0 0 x 45", fail: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat(tt.stat)
			if got != tt.want || (err != nil) != tt.fail {
				t.Errorf("parseStat = %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestParsePeak(t *testing.T) {
	t.Parallel()
	got, err := parsePeak("Name:\tbare\nVmPeak:\t 1241112 kB\nVmHWM:\t   16384 kB\nVmRSS:\t   15000 kB\n")
	if got != 16<<20 || err != nil {
		t.Errorf("parsePeak = %d, %v; want 16 MiB", got, err)
	}
	if _, err := parsePeak("Name:\tkthreadd\n"); err == nil {
		t.Error("a status without memory was read")
	}
}

func TestCPUModel(t *testing.T) {
	t.Parallel()
	if got := cpuModel("processor\t: 0\nmodel name\t: AMD EPYC: 7B13\nprocessor\t: 1\n"); got != "AMD EPYC: 7B13" {
		t.Errorf("cpuModel = %q", got)
	}
	if got := cpuModel("processor\t: 0\n"); got != "unknown CPU" {
		t.Errorf("cpuModel = %q without a model", got)
	}
}
