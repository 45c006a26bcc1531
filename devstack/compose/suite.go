package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"bff.internal/devstack/process"
)

const (
	projectName = "bff-compose-test"
	webReplicas = 3
	// mobileReplicas is another number, so that a step that mixes them up shows.
	mobileReplicas = 2
)

// suite is the running containers and a client outside.
type suite struct {
	project project
	edge    string // its URL as clients know it
	client  *http.Client

	busy   map[int]bool // the ports of this host that were somebody's before
	person person       // who calls unless a step wants somebody of its own
}

func newSuite(ctx context.Context) (*suite, error) {
	edge, identity, err := freePorts(ctx)
	if err != nil {
		return nil, err
	}
	s := &suite{
		project: project{name: projectName, env: []string{
			"EDGE_PORT=" + edge, "IDENTITY_PORT=" + identity, "PUBLISH_ADDR=127.0.0.1",
		}},
		edge: "http://localhost:" + edge,
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       10 * time.Second,
		},
		busy: make(map[int]bool),
	}
	for _, port := range innerPorts() {
		s.busy[port] = open(ctx, port)
	}
	return s, nil
}

// steps is all that is done and seen, in order.
func (s *suite) steps() []step {
	return []step{
		{"building the images", s.build},
		{fmt.Sprintf("starting, with %d bff-web and %d bff-mobile", webReplicas, mobileReplicas), s.up},
		{"what the containers may do", s.confined},
		{"what this host can reach", s.ports},
		{"what is reachable below the edge", s.exposed},
		{"what the edge makes of a request", s.faithful},
		{"whose address is in the log", s.clientAddress},
		{"signing in, and a key for a partner", s.signIn},
		{"the three dashboards are whole", s.wholeDashboards},
		{"every replica knows the session", s.sessionEverywhere},
		{"sockets, whichever replica has them", s.sockets},
		{"Analytics stops, and comes back", s.analyticsStops},
		{"Redis restarts", s.redisRestarts},
		{"a bff-mobile is stopped", s.mobileStops},
		{"a bff-mobile is killed", s.mobileIsKilled},
		{"a bff-web is killed", s.webIsKilled},
		{"all of bff-partner is killed", s.partnerIsKilled},
	}
}

func (s *suite) build(ctx context.Context) (string, error) {
	// What "go env -w" has set is no environment variable.
	settings := []string{"GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB"}
	values, err := exec.CommandContext(ctx, "go", append([]string{"env"}, settings...)...).Output() //nolint:gosec // names of settings
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	for i, value := range strings.Split(strings.TrimSuffix(string(values), "\n"), "\n") {
		s.project.env = append(s.project.env, settings[i]+"="+value)
	}
	if _, err := s.project.compose(ctx, "build"); err != nil {
		return "", err
	}
	built, err := s.project.docker(ctx, "image", "ls", "--format", "{{.Repository}} {{.Size}}", "--filter", "reference="+projectName+"-*")
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(built), projectName+"-", ""), "\n", ", "), err
}

func (s *suite) up(ctx context.Context) (string, error) {
	// What a run that was killed has left behind would be taken for ours.
	if _, err := s.project.compose(ctx, "down", "--volumes", "--remove-orphans"); err != nil {
		return "", err
	}
	if err := s.start(ctx); err != nil {
		return "", err
	}
	ids, err := s.project.ids(ctx)
	return fmt.Sprintf("%d containers are healthy", len(ids)), err
}

// start starts what does not run and waits until all is healthy.
func (s *suite) start(ctx context.Context) error {
	_, err := s.project.compose(ctx, "up", "--detach", "--no-build", "--no-recreate", "--wait", "--wait-timeout", "180",
		"--scale", "bff-web="+strconv.Itoa(webReplicas), "--scale", "bff-mobile="+strconv.Itoa(mobileReplicas))
	return err
}

func (s *suite) down(ctx context.Context) (string, error) {
	s.client.CloseIdleConnections()
	_, err := s.project.compose(ctx, "down", "--volumes", "--remove-orphans", "--rmi", "local")
	return "containers, networks, volumes and images are gone", err
}

// freePorts returns two ports of this host that nobody has at the moment.
func freePorts(ctx context.Context) (one, other string, err error) {
	for one == other && err == nil {
		if one, err = freePort(ctx); err == nil {
			other, err = freePort(ctx)
		}
	}
	return one, other, err
}

func freePort(ctx context.Context) (string, error) {
	addrs, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(addrs[0])
	return port, err
}

// open reports whether somebody listens on a port of this host.
func open(ctx context.Context, port int) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// eventually repeats what may need some time, until it succeeds.
func eventually(ctx context.Context, within time.Duration, try func(context.Context) error) (time.Duration, error) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return time.Since(begun), nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("not within %v: %w", within, err)
		}
	}
}
