package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// dashboard is the first screen of one kind of client.
type dashboard struct {
	name, path string
	as         func(person) http.Header
}

func mobileDashboard() dashboard {
	return dashboard{"mobile", "/mobile/dashboard", func(p person) http.Header {
		return http.Header{"Authorization": {"Bearer " + p.token}}
	}}
}

func webDashboard() dashboard {
	return dashboard{"web", "/web/dashboard", func(p person) http.Header {
		return http.Header{"Cookie": {p.cookie}, "X-Csrf": {"1"}}
	}}
}

func partnerDashboard() dashboard {
	return dashboard{"partner", "/partner/v1/dashboard", func(p person) http.Header {
		return http.Header{"Authorization": {"Bearer " + p.key}}
	}}
}

// look fetches a dashboard for somebody and judges it.
func (s *suite) look(ctx context.Context, at dashboard, who person, judge func(answer) error) error {
	got, err := s.get(ctx, at.path, at.as(who))
	if err == nil {
		err = judge(got)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at.name, err)
	}
	return nil
}

// lookAtAll looks at the three dashboards until each is as it should be, and returns how long that took.
func (s *suite) lookAtAll(ctx context.Context, who person, within time.Duration, judge func(answer) error) (time.Duration, error) {
	return eventually(ctx, within, func(ctx context.Context) error {
		return errors.Join(
			s.look(ctx, mobileDashboard(), who, judge),
			s.look(ctx, webDashboard(), who, judge),
			s.look(ctx, partnerDashboard(), who, judge),
		)
	})
}

// sections is what every dashboard has, whatever the shape.
type sections struct {
	User         json.RawMessage `json:"user"`
	ActiveOrders json.RawMessage `json:"activeOrders"`
	Metrics      json.RawMessage `json:"metrics"`
	Meta         *struct {
		Sections map[string]struct {
			Status string `json:"status"`
		} `json:"sections"`
	} `json:"_meta"` //nolint:tagliatelle // the contracts spell it so
}

// whole is nil when nothing is missing.
func whole(got answer) error {
	if err := got.want(http.StatusOK, "{"); err != nil {
		return err
	}
	var is sections
	if err := json.Unmarshal([]byte(got.body), &is); err != nil {
		return err
	}
	if partial := got.header.Get("Bff-Partial"); partial != "" || is.Meta != nil || !known(is.User) || !known(is.ActiveOrders) || !known(is.Metrics) {
		return fmt.Errorf("not whole: %v", got)
	}
	return nil
}

// withoutMetrics is nil when the metrics, and they alone, are missing and that is said.
func withoutMetrics(got answer) error {
	if err := got.want(http.StatusOK, "{"); err != nil {
		return err
	}
	var is sections
	if err := json.Unmarshal([]byte(got.body), &is); err != nil {
		return err
	}
	if !known(is.User) || !known(is.ActiveOrders) || string(is.Metrics) != "null" ||
		is.Meta == nil || len(is.Meta.Sections) != 1 || is.Meta.Sections["metrics"].Status != "unavailable" {
		return fmt.Errorf("not without metrics alone: %v", got)
	}
	if partial := got.header.Get("Bff-Partial"); !strings.HasPrefix(partial, "metrics;reason=") {
		return fmt.Errorf("Bff-Partial is %q", partial)
	}
	return nil
}

func known(section json.RawMessage) bool { return len(section) > 0 && string(section) != "null" }

func (s *suite) wholeDashboards(ctx context.Context) (string, error) {
	took, err := s.lookAtAll(ctx, s.person, 20*time.Second, whole)
	return fmt.Sprintf("user, orders and metrics, after %v", took.Round(time.Millisecond)), err
}

func (s *suite) analyticsStops(ctx context.Context) (string, error) {
	// Somebody new, of whom no replica has anything in store.
	who, err := s.newPerson(ctx, "grace", "globex")
	if err != nil {
		return "", err
	}
	if _, err := s.project.compose(ctx, "stop", "analytics"); err != nil {
		return "", err
	}
	without, err := s.lookAtAll(ctx, who, 20*time.Second, withoutMetrics)
	if err != nil {
		return "", err
	}
	if err := s.start(ctx); err != nil {
		return "", err
	}
	again, err := s.lookAtAll(ctx, who, 60*time.Second, whole)
	return fmt.Sprintf("200 with metrics null and Bff-Partial after %v; whole again %v after it was back",
		without.Round(time.Millisecond), again.Round(time.Millisecond)), err
}

// redisRestarts looks whether what is in Redis outlives its process: the session and the key.
func (s *suite) redisRestarts(ctx context.Context) (string, error) {
	if _, err := s.project.compose(ctx, "restart", "redis"); err != nil {
		return "", err
	}
	took, err := s.lookAtAll(ctx, s.person, 30*time.Second, whole)
	return fmt.Sprintf("the old session and the old key are good %v later", took.Round(time.Millisecond)), err
}
