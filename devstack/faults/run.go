package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bff.internal/devstack/faults/rig"
)

// scenarioWithin is far above what any scenario takes.
const scenarioWithin = 10 * time.Minute

// suite is a run of scenarios.
type suite struct {
	options

	out io.Writer
	dir string // of everything that the run leaves, for as long as it lasts
	// measure runs a scenario. The words are the last ones of its processes.
	measure func(ctx context.Context, s scenario) (figures []figure, words string, err error)
}

// run builds what is needed, runs the scenarios one after another, and stops whatever it started. The error says how
// many failed, or why there was no run.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	begun := time.Now()
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	if o.caddy, err = rig.FindCaddy(o.caddy, here); err != nil {
		return err
	}
	s := suite{options: o, out: out}
	s.measure = s.onRig
	if s.dir, err = os.MkdirTemp("", "bff-faults-"); err != nil {
		return err
	}
	if o.keep {
		s.tellf("logs are kept in %s\n", s.dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	}
	s.tellf("building the BFFs and the stand-ins (some seconds; a minute the first time)\n")
	if err := rig.Build(ctx, s.dir); err != nil {
		return err
	}
	bad := 0
	for _, each := range o.run {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.passes(ctx, each) {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d scenarios failed", bad, len(o.run))
	}
	s.tellf("\n%d of %d scenarios passed in %.0f s\n", len(o.run), len(o.run), time.Since(begun).Seconds())
	return nil
}

func (s *suite) tellf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

// passes runs a scenario and prints what it measured. After a failure it prints the last words of every process.
func (s *suite) passes(ctx context.Context, each scenario) bool {
	begun := time.Now()
	s.tellf("\n%s: %s\n", each.name, each.about)
	figures, words, err := s.measure(ctx, each)
	if len(figures) > 0 {
		s.tellf("%s", table(figures))
	}
	switch took := time.Since(begun).Seconds(); {
	case ctx.Err() != nil:
		return false
	case err != nil:
		s.tellf("FAIL %s could not be measured (%.0f s): %v\n%s", each.name, took, err, words)
		return false
	case len(figures) == 0:
		s.tellf("FAIL %s has measured nothing\n", each.name)
		return false
	case failed(figures) > 0:
		s.tellf("FAIL %s: %d of %d figures (%.0f s)\n%s", each.name, failed(figures), len(figures), took, words)
		return false
	default:
		s.tellf("PASS %s (%.0f s)\n", each.name, took)
		return true
	}
}

// onRig runs a scenario on a rig of its own.
func (s *suite) onRig(ctx context.Context, each scenario) (figures []figure, words string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, scenarioWithin, fmt.Errorf("it takes longer than %v", scenarioWithin))
	defer cancel()
	dir := filepath.Join(s.dir, each.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, "", err
	}
	r, err := rig.Open(ctx, rig.Config{Bin: s.dir, Dir: dir, Caddy: s.caddy, Say: s.out})
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	figures, err = each.run(ctx, r, s.short)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return figures, r.LastWords(), err
}
