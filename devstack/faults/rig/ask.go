package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/process"
)

const (
	// happensWithin is far above what anything takes that WaitUntil waits for.
	happensWithin = 30 * time.Second
	pollEvery     = 10 * time.Millisecond
	askWithin     = 5 * time.Second
)

// WaitUntil polls until something is so. The error says what did not happen.
func WaitUntil(ctx context.Context, what string, so func(ctx context.Context) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, happensWithin, fmt.Errorf("waited %v in vain until %s", happensWithin, what))
	defer cancel()
	for !so(ctx) {
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// WaitExited waits until the process has ended and returns its exit status; the error says that it goes on.
func WaitExited(ctx context.Context, p *process.Process) (status int, err error) {
	select {
	case <-p.Exited():
		return p.ExitCode(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(happensWithin):
		return 0, fmt.Errorf("%s has not ended after %v", p.Name, happensWithin)
	}
}

// Readiness asks a replica on its admin listener, over a new connection, and returns the status or in a word how there
// was none. It may be used concurrently.
func (r *Replica) Readiness(ctx context.Context) string {
	return ask(ctx, http.MethodGet, "http://"+r.AdminAddr+"/readyz", "").kind
}

// Circuits returns the state of the replica's circuit to each address of the service: 0 closed, 1 half-open, 2 open. It
// has no entries in a naive build, and may be used concurrently.
func (r *Replica) Circuits(ctx context.Context, service Service) map[string]int {
	states := map[string]int{}
	for line := range strings.Lines(ask(ctx, http.MethodGet, "http://"+r.AdminAddr+"/metrics", "").body) {
		metric, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		labels, ours := strings.CutPrefix(metric, "upstream_circuit_state{")
		_, of, _ := strings.Cut(labels, `service="`)
		_, addr, _ := strings.Cut(labels, `replica="`)
		state, err := strconv.Atoi(value)
		if ours && err == nil && strings.HasPrefix(of, string(service)+`"`) {
			addr, _, _ = strings.Cut(addr, `"`)
			states[addr] = state
		}
	}
	return states
}

type answer struct{ kind, body string }

// ask sends a request over a connection of its own.
func ask(ctx context.Context, method, url, body string) answer {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{kind: load.KindOf(err)}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{kind: load.KindOf(err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{kind: load.KindOf(err)}
	}
	return answer{kind: strconv.Itoa(resp.StatusCode), body: string(text)}
}
