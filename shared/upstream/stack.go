package upstream

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// stack is the order of the layers, outermost first. Each sees only complete answers: Receive, at the
// bottom, has read the body, so that a layer judges an exchange once and as a whole.
//
//	Identify   credentials and request id; layers below may key on who is asking
//	Observe    the logical call: span, metric, log attributes
//	Change     after a change, nothing that was before it is read
//	Cache      a hit ends here; where the service cannot answer, a stored answer may do
//	Coalesce   identical GETs of one caller share one call, which no single one of them can cancel
//	Decode     the value of an answer, so that one without is a bad answer for everybody above
//	Shed       a bound on what is in flight to the service and on what waits for it, shared fairly by callers
//	Retry      a second attempt after a failure: what may be repeated, within a budget, where somebody admits it
//	Hedge      a twin of a slow GET, within a budget; the first answer wins and the other is cancelled
//	Failover   each attempt takes a replica that this call has not asked yet, in shuffled order
//	Break      one circuit per replica; a caller's cancellation is no failure
//	Stamp      per attempt: its span's traceparent and what remains of the deadline
//	Receive    the answer's body, up to its limits, and what went wrong on the wire
func (c *Client) stack(cfg Config) http.RoundTripper {
	without, several := cfg.Policy.Without, len(cfg.Replicas) > 1
	var layer http.RoundTripper = receive{cfg.Transport, cfg.Service, cfg.MaxAnswer, c.repeats(without)}
	layer = stamp{layer, cfg.Service, cfg.Telemetry.Tracer}
	if !without.Break {
		layer = breaks{layer, c.pool}
	}
	layer = failover{layer, c.pool, c.retries, c.reconnects}
	if several && !without.Hedge {
		layer = hedge{layer, c.pool, c.hedges}
	}
	if several && !without.Retry {
		layer = retry{layer, c.pool, c.retries, new(atomic.Int32)}
	}
	if !without.Shed {
		layer = shed{layer, c.pool, c.gate}
	}
	layer = decoding{layer, cfg.Service}
	if !without.Coalesce {
		layer = newCoalesce(layer, cfg.Service, cfg.Answers)
	}
	if !without.Cache {
		layer = cached{layer, cfg.Service, cfg.Answers, cfg.Telemetry, new(sync.Map), cfg.Background}
	}
	layer = changing{layer, cfg.Service, cfg.Answers}
	layer = observe{layer, cfg.Service, cfg.Telemetry}
	return identify{layer}
}
