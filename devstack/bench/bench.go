package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bff.internal/devstack/process"
)

// bench is a run: what it needs, and the aggregators that have their turns.
type bench struct {
	options

	say    io.Writer
	dir    string
	around *surroundings
	peers  []*peer // the one that the others are compared with comes first
	answer []byte
}

// run builds, starts, measures, and stops whatever it started. What it returns is the report, ready to print.
func run(ctx context.Context, o options, say io.Writer) (report string, err error) {
	if err := canMeasure(); err != nil {
		return "", err
	}
	if err := emptyProfile(o.profile); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "bff-bench-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, say: say, dir: dir}
	place := machine()

	b.tellf("building bff-mobile, bare and stub (some seconds; a minute the first time)\n")
	if err := process.Build(ctx, dir, "bff.internal/bff-mobile", "bff.internal/devstack/bench/bare", "bff.internal/devstack/bench/stub"); err != nil {
		return "", err
	}
	upstreamBytes, err := writeFixtures(dir)
	if err != nil {
		return "", err
	}
	if b.around, err = openSurroundings(ctx); err != nil {
		return "", err
	}
	defer b.around.close()
	upstream, description, err := startUpstream(ctx, dir)
	if err != nil {
		return "", err
	}
	defer upstream.Stop()
	b.tellf("upstream: %s\n", description)
	defer b.stopPeers()
	if err := b.startPeers(ctx, "http://"+upstream.Addr); err != nil {
		return "", err
	}
	if err := b.measure(ctx); err != nil {
		return "", err
	}
	setting := setting{options: o, machine: place, upstream: description, upstreamBytes: upstreamBytes, answer: b.answer}
	return setting.report(b.peers), nil
}

// tellf says how far the run is.
func (b *bench) tellf(format string, args ...any) { _, _ = fmt.Fprintf(b.say, format, args...) }

func (b *bench) startPeers(ctx context.Context, services string) error {
	bare, err := process.Start(ctx, process.Program{Name: "bare", Dir: b.dir, Path: filepath.Join(b.dir, "bare"), Args: []string{"-services", services}})
	if err != nil {
		return err
	}
	b.peers = append(b.peers, &peer{process: bare, does: "nothing: no auth, limits, logs, metrics, breaker"})
	mobile, err := process.Start(ctx, process.Program{Name: "bff-mobile", Dir: b.dir, Path: filepath.Join(b.dir, "bff-mobile"), Env: b.around.mobileEnv(services)})
	if err != nil {
		return err
	}
	b.peers = append(b.peers, &peer{process: mobile, does: "JWT, access log, metrics, trace context, deadlines, breakers; no rate limit, no cache yet"})
	return nil
}

func (b *bench) stopPeers() {
	for _, p := range b.peers {
		p.process.Stop()
	}
}

// measure lets the peers have their turns.
func (b *bench) measure(ctx context.Context) error {
	if err := b.compareAnswers(ctx); err != nil {
		return err
	}
	b.tellf("%d rounds of %d requests each over %d connections, after a warm-up\n", b.rounds, b.requests, b.connections)
	for _, p := range b.peers {
		if _, err := b.turn(ctx, p); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		b.tellf("round %d of %d", round+1, b.rounds)
		for _, p := range b.peers {
			s, err := b.turn(ctx, p)
			if err != nil {
				b.tellf("\n")
				return err
			}
			p.samples = append(p.samples, s)
			b.tellf(" · %s %.0f µs, %.0f/s", p.process.Name, s.cpu, s.rate)
		}
		b.tellf("\n")
	}
	for _, p := range b.peers {
		var err error
		if p.memory, err = peakMemory(p.process.PID); err != nil {
			return err
		}
	}
	if b.profile != "" {
		return b.takeProfile(ctx, b.peers[len(b.peers)-1])
	}
	return nil
}

// compareAnswers makes sure that the work is the same: the answers are, byte by byte.
func (b *bench) compareAnswers(ctx context.Context) error {
	for _, p := range b.peers {
		answer, err := b.firstAnswer(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w%s", p.process.Name, err, p.process.LastWords())
		}
		if b.answer != nil && !bytes.Equal(answer, b.answer) {
			return fmt.Errorf("%s and %s answer differently, so this would not compare the same work; bring devstack/bench/bare in line:\n%s\n%s",
				b.peers[0].process.Name, p.process.Name, b.answer, answer)
		}
		b.answer = answer
	}
	b.tellf("all answer the same %d bytes\n", len(b.answer))
	return nil
}

func (b *bench) firstAnswer(ctx context.Context, p *peer) ([]byte, error) {
	requests, err := b.around.requests(p.process.Addr, 1)
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, p.process.Addr, requests[0])
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	answer, err := c.ask()
	return bytes.Clone(answer), err
}
