package main

import (
	"fmt"
	"strconv"
	"strings"

	"bff.internal/devstack/faults/load"
)

// unavailable is how an answer says that a service which it needs is not asked at the moment, and when to come back.
const unavailable = "503 unavailable"

func requiredFigures(ours, naive death) []figure {
	// Whoever has noticed that the service refuses has asked it, once.
	reached := ours.until.Total() - ours.until.Kinds[load.Whole] - ours.until.Kinds[unavailable]
	return []figure{
		{
			what: "required, refused: calls that reach it until its circuit is open",
			line: fmt.Sprintf("at most %d", deadReach),
			ours: measured{strconv.Itoa(reached), reached <= deadReach},
		},
		{
			what: "required, refused: answers while it is open", line: "all " + unavailable,
			ours: ours.while(unavailable), naive: naive.while(unavailable),
		},
	}
}

func optionalFigures(ours, naive death) []figure {
	const without = "partial activeOrders;reason=breaker_open"
	return []figure{{
		what: "optional, refused: answers while its circuit is open", line: "all " + without,
		ours: ours.while(without), naive: naive.while(without),
	}}
}

func hangingFigures(ours, naive death) []figure {
	judge := func(o death) measured { return measured{strconv.Itoa(o.calls), o.calls > 0 && o.calls <= deadReach} }
	return []figure{
		{
			what: "required, hanging: calls that reach it until its circuit is open",
			line: fmt.Sprintf("at most %d", deadReach),
			ours: judge(ours), naive: judge(naive),
		},
		{
			what: "required, hanging: answers while it is open", line: "all " + unavailable,
			ours: ours.while(unavailable), naive: naive.while(unavailable),
		},
	}
}

// while judges the answers while the circuit is open.
func (o death) while(kind string) measured {
	count, total := o.open.Kinds[kind], o.open.Total()
	if count == total {
		return measured{fmt.Sprintf("%d of %d, p99 %s", count, total, milliseconds(o.open.Quantile(0.99))), total > 0}
	}
	return measured{says: fmt.Sprintf("%d of %d (%s)", count, total, o.open.Failures())}
}

func probeFigures(o probing) []figure {
	refused := 0
	for kind, count := range o.answers.Kinds {
		if strings.HasPrefix(kind, "503") {
			refused += count
		}
	}
	return []figure{{
		what: fmt.Sprintf("probes of %d concurrent callers, when the circuit is half open", deadConcurrent),
		line: fmt.Sprintf("exactly %d, and 503 for the others", deadProbes),
		ours: measured{
			fmt.Sprintf("%d (%s)", o.calls, o.answers.Failures()),
			o.calls == deadProbes && refused == deadConcurrent-deadProbes && o.answers.Total() == deadConcurrent,
		},
	}}
}

func innocentFigures(cancelled, denied int, oLeft, nLeft, oDenied load.Tally) []figure {
	judge := func(t load.Tally) measured {
		return measured{answered(t), t.Failed() == 0 && t.Total() == deadAfterwards}
	}
	line := fmt.Sprintf("all %d answered 200", deadAfterwards)
	return []figure{
		{fmt.Sprintf("after %d clients that left early", cancelled), line, judge(oLeft), judge(nLeft)},
		{what: fmt.Sprintf("after %d answers 404", denied), line: line, ours: judge(oDenied)},
	}
}
