package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// privatePaths is what operators and services ask each other for.
func privatePaths() []string {
	private := []string{"/metrics", "/readyz", "/livez", "/debug/pprof/", "/../metrics"}
	prefixes := []string{"", "/mobile", "/web", "/api", "/partner", "/dev"}
	paths := make([]string, 0, len(prefixes)*len(private))
	for _, prefix := range prefixes {
		for _, path := range private {
			paths = append(paths, prefix+path)
		}
	}
	return append(paths, "/_faults", "/users/me", "/orders", "/login")
}

// exposed asks the edge for what is not for clients.
func (s *suite) exposed(ctx context.Context) (string, error) {
	var errs []error
	private := privatePaths()
	for _, path := range private {
		got, err := s.get(ctx, path, nil)
		if err == nil && got.status != http.StatusBadRequest {
			err = got.want(http.StatusNotFound, "not_found")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
	}
	return fmt.Sprintf("none of %d private paths", len(private)), errors.Join(errs...)
}

// faithful asks for the contracts, for what the edge answers itself, and for paths that it must send on as they are.
func (s *suite) faithful(ctx context.Context) (string, error) {
	targets := []struct {
		target, says string
		status       int
	}{
		{"/mobile/openapi.yaml", "title: Mobile BFF", http.StatusOK},
		{"/web/openapi.yaml", "title: Web BFF", http.StatusOK},
		{"/partner/openapi.yaml", "title: Partner BFF", http.StatusOK},
		{"/web/", "<!doctype html>", http.StatusOK},
		{"/", "", http.StatusFound},
		{"/nothing", "below /mobile, /web, /api and /partner", http.StatusNotFound},
		{"/mobiles/openapi.yaml", "below /mobile, /web, /api and /partner", http.StatusNotFound},
		{"/MOBILE/openapi.yaml", "below /mobile, /web, /api and /partner", http.StatusNotFound},
		{"/mobile/nothing", "traceId", http.StatusNotFound},
		{"/api/nothing", "traceId", http.StatusNotFound},
		{"/mobile/x/..%2fopenapi.yaml", "traceId", http.StatusBadRequest},
		{"/mobile//openapi.yaml", "traceId", http.StatusBadRequest},
		{"/mobile/a%2f|", "invalid_path", http.StatusBadRequest},
		{"/mobile/dashboard", "missing_token", http.StatusUnauthorized},
	}
	var errs []error
	for _, t := range targets {
		got, err := s.get(ctx, t.target, nil)
		if err == nil {
			err = got.want(t.status, t.says)
		}
		if server := got.header.Get("Server"); err == nil && server != "" {
			err = fmt.Errorf("the server says that it is %s", server)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.target, err))
		}
	}
	return fmt.Sprintf("%d odd and ordinary paths arrive as they were sent, or are refused", len(targets)), errors.Join(errs...)
}

// clientAddress claims to be somebody else and looks into the log.
func (s *suite) clientAddress(ctx context.Context) (string, error) {
	const claimed, agent = "203.0.113.9", "compose-test-address"
	edge, err := s.project.replica(ctx, "edge")
	if err != nil {
		return "", err
	}
	if _, err := s.get(ctx, "/mobile/nothing", http.Header{
		"X-Forwarded-For": {claimed}, "Forwarded": {"for=" + claimed}, "X-Real-Ip": {claimed}, "User-Agent": {agent},
	}); err != nil {
		return "", err
	}
	var seen string
	_, err = eventually(ctx, 5*time.Second, func(ctx context.Context) error {
		log, err := s.project.compose(ctx, "logs", "--no-color", "--no-log-prefix", "bff-mobile")
		if err != nil {
			return err
		}
		seen = clientIP(log, agent)
		_, err = netip.ParseAddr(seen)
		return err
	})
	if err == nil && slices.Contains([]string{claimed, edge.front()}, seen) {
		err = fmt.Errorf("%s, which is the edge's or what the client claims", seen)
	}
	return fmt.Sprintf("the client's, %s, neither what it claims nor the edge's %s", seen, edge.front()), err
}

// clientIP is who sent the request with this user agent, in a log of JSON lines; "" when there is none.
func clientIP(log, agent string) string {
	for line := range strings.Lines(log) {
		var event struct {
			ClientIP  string `json:"clientIp"`
			UserAgent string `json:"userAgent"`
		}
		if err := json.Unmarshal([]byte(line), &event); err == nil && event.UserAgent == agent {
			return event.ClientIP
		}
	}
	return ""
}
