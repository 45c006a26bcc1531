package main

import (
	"context"

	"bff.internal/devstack/faults/rig"
)

// scenario breaks something and measures what becomes of it.
type scenario struct {
	name  string
	goal  string // the figure of the reliability goals that it shows; "" for none
	about string
	// run gets a rig of its own, which is closed afterwards. What it returns beside an error is shown too.
	run func(ctx context.Context, r *rig.Rig, short bool) ([]figure, error)
}

// scenarios is all of them, in the order in which they run; each has a file of its name.
func scenarios() []scenario {
	return []scenario{
		{"rolling-restart", "G1", "two replicas behind Caddy are restarted in turn under load, and no request is lost", rollingRestart},
		{"stop-signal", "", "a replica that is told to stop says so, serves on, finishes and ends well", stopSignal},
	}
}
