package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/devstack/process"
)

func TestReport(t *testing.T) {
	t.Parallel()
	peers := []*peer{
		{process: &process.Process{Name: "bare"}, does: "nothing", memory: 16_400_000, samples: []sample{{cpu: 200, rate: 4000}, {cpu: 180, rate: 4200}, {cpu: 220, rate: 3800}}},
		{process: &process.Process{Name: "bff-mobile"}, does: "much", memory: 33_000_000, samples: []sample{{cpu: 230, rate: 3500}, {cpu: 198, rate: 3600}, {cpu: 242, rate: 3300}}},
	}
	s := setting{
		options: options{rounds: 3, requests: 100, connections: 2},
		machine: "a CPU", upstream: "a stub", upstreamBytes: 6308, answer: []byte(`{"user":null}`),
	}
	const want = `
| aggregator | µs CPU/request | ratio to bare    | peak MB | requests/s | what it does besides |
|------------|----------------|------------------|---------|------------|----------------------|
| bare       | 200 (180–220)  | 1.00 (1.00–1.00) | 16      | 4000       | nothing              |
| bff-mobile | 230 (198–242)  | 1.10 (1.10–1.15) | 33      | 3500       | much                 |

µs CPU/request: user and system time of the aggregator's process. Medians (min–max) of the rounds; peak MB is resident memory.
Machine: a CPU.
Upstream: a stub.
Load: 3 rounds of 100 requests, in turn, over 2 keep-alive connections, a caller each; every answer was 200 with the same body.
Answer: 13 B, 37 B with gzip, of the 6308 B that three services sent.
Only ratios within a run mean anything, and requests/s little: clients and upstream run on the same cores.
`
	if diff := cmp.Diff(want, s.report(peers)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("median of 1, 5, 9 = %v", got)
	}
	if got := median([]float64{4, 1, 9, 2}); got != 3 {
		t.Errorf("median of 1, 2, 4, 9 = %v", got)
	}
}
