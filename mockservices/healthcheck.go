package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"bff.internal/mockservices/serving"
)

// healthcheckName is the first argument for asking instead of serving.
const healthcheckName = "healthcheck"

// healthcheck asks the chosen stand-ins of this host, all at once, whether they are there. The error names in one line
// those that are not. A stand-in that is told to break is there: faults leave /livez alone.
func healthcheck(ctx context.Context, chosen []service, cfg config) error {
	away := make([]string, len(chosen))
	var asking sync.WaitGroup
	for i, s := range chosen {
		asking.Go(func() {
			if err := serving.Probe(ctx, cfg.addresses[s.variable], "/livez"); err != nil {
				away[i] = fmt.Sprintf("%s: %v", s.name, err)
			}
		})
	}
	asking.Wait()
	away = slices.DeleteFunc(away, func(what string) bool { return what == "" })
	if len(away) > 0 {
		return errors.New(strings.Join(away, "; "))
	}
	return nil
}
