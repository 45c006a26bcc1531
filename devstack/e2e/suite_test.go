package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bff.internal/devstack/stack"
)

func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the OpenID library announces its routes
	goleak.VerifyTestMain(m,
		// It sleeps for a second before it leaves a channel, also when its node is gone.
		goleak.IgnoreAnyFunction("github.com/centrifugal/centrifuge/internal/dissolve.(*Dissolver).runWorker"),
		// Where Redis was stopped, the pool may be trying to reach it when it is closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// suite is a running stack and a client that calls it as ada.
type suite struct {
	*stack.Stack

	cfg stack.Config

	client *http.Client
	token  string
}

func start(t *testing.T) *suite {
	t.Helper()
	return startWith(t, stack.FreePorts())
}

func startWith(t *testing.T, cfg stack.Config) *suite {
	t.Helper()
	running, err := stack.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	token, err := running.Credentials("ada")
	if err != nil {
		t.Fatal(err)
	}
	return &suite{Stack: running, cfg: cfg, client: &http.Client{Transport: transport}, token: token}
}

// answer is an answer whose body has been read.
type answer struct {
	*http.Response

	body string
	took time.Duration
}

// partnerKey is the key of the demo partner.
func (s *suite) partnerKey(t *testing.T) string {
	t.Helper()
	key, err := s.PartnerKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// dashboard is the answer to the first request that this machine is not too busy for.
func (s *suite) dashboard(t *testing.T) answer {
	t.Helper()
	var got answer
	s.eventually(t, func() bool {
		var err error
		if got, err = s.ask(t.Context(), s.Edge+"/mobile/dashboard"); err != nil {
			t.Fatal(err)
		}
		return !got.shed(t)
	})
	return got
}

func (s *suite) ask(ctx context.Context, url string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	return s.do(req)
}

func (s *suite) do(req *http.Request) (answer, error) {
	begun := time.Now()
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{Response: resp, body: string(body), took: time.Since(begun)}, err
}

// as sends a request with these headers and no others.
func (s *suite) as(t *testing.T, method, url string, header http.Header, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	got, err := s.do(req)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fault breaks a service as PUT /_faults says; "" ends its faults.
func (s *suite) fault(t *testing.T, service, faults string) {
	t.Helper()
	method := http.MethodPut
	if faults == "" {
		method = http.MethodDelete
	}
	req, err := http.NewRequestWithContext(t.Context(), method, service+"/_faults", strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s", method, faults, resp.Status)
	}
}

// eventually waits until something is so.
func (s *suite) eventually(t *testing.T, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to pass")
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// recovers waits until the dashboard is whole again, for circuits to close by themselves.
func (s *suite) recovers(t *testing.T) {
	t.Helper()
	s.eventually(t, func() bool {
		got := s.dashboard(t)
		return got.StatusCode == http.StatusOK && got.Header.Get("Bff-Partial") == ""
	})
}

// shed reports whether the BFF refused the request because this machine is too busy.
func (a answer) shed(t *testing.T) bool {
	t.Helper()
	return a.StatusCode == http.StatusServiceUnavailable && a.code(t) == "overloaded"
}

func (a answer) code(t *testing.T) string {
	t.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return p.Code
}
