package upstream

import "net/http"

// stack is the order of the layers, outermost first. Each sees only complete answers: Receive, at the
// bottom, has read the body, so that a layer judges an exchange once and as a whole.
//
//	Identify   credentials and request id; layers below may key on who is asking
//	Observe    the logical call: span, metric, log attributes
//	Failover   each attempt takes a replica that this request has not asked yet, in shuffled order
//	Break      one circuit per replica; a caller's cancellation is no failure
//	Stamp      per attempt: its span's traceparent and what remains of the deadline
//	Receive    the answer's body, up to its limit, and what went wrong on the wire
func stack(cfg Config) http.RoundTripper {
	var layer http.RoundTripper = receive{cfg.Transport, cfg.Service, cfg.MaxAnswer}
	layer = stamp{layer, cfg.Service, cfg.Telemetry.Tracer}
	if !cfg.Policy.Without.Break {
		layer = newBreak(layer, cfg)
	}
	layer = failover{layer, cfg.Service, cfg.Replicas}
	layer = observe{layer, cfg.Service, cfg.Telemetry}
	return identify{layer}
}
