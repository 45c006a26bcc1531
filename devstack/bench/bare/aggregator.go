package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// aggregator answers every request with the dashboard.
type aggregator struct {
	services string
	client   *http.Client
}

func newAggregator(services string) aggregator {
	// The defaults keep two idle connections to a service: with more callers, nearly every call would dial.
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	return aggregator{services: services, client: &http.Client{Transport: transport}}
}

// ServeHTTP answers the dashboard, or 502 without saying why.
func (a aggregator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var (
		user    user
		active  page
		metrics metrics
	)
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error { return a.get(ctx, "/users/me", &user) })
	calls.Go(func() error { return a.get(ctx, "/orders?status=active&user=me", &active) })
	calls.Go(func() error { return a.get(ctx, "/metrics?user=me&window=30d", &metrics) })
	if err := calls.Wait(); err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	body, err := json.Marshal(newDashboard(user, active, metrics))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

func (a aggregator) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.services+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: answered %d", path, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
