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
		{"overload", "G3", "a service is asked for more than it can do, and what it can do is still done, and for everybody", overload},
		{"amplification", "G4", "a service fails, and is not asked more often for it", amplification},
		{"hedging", "G9", "a few answers of a service are late, and few clients wait for them", hedging},
		{"hostile-answers", "G16", "a service answers with what no service should, and nothing comes of it", hostileAnswers},
		{"slow-upstream", "G5", "a service is 2 s slower for a while, and soon after everything is well again", slowUpstream},
		{"dead-upstream", "G6", "a service dies: few calls reach it, answers say so at once, few probes see whether it lives", deadUpstream},
		{"black-hole", "G7", "each service in turn swallows what it is sent; answers say what is missing, and no others suffer", blackHole},
		{"replica-loss", "G8", "one of three replicas fails, hangs or resets connections, and comes back; clients hardly notice", replicaLoss},
	}
}
