package load_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/devstack/faults/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func plan(url string) load.Plan {
	return load.Plan{URL: url, Callers: []http.Header{{"Caller": {"1"}}, {"Caller": {"2"}}}, Rate: 1000, Most: 12, InFlight: 50, Within: 5 * time.Second}
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestEveryRequestIsCountedByWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(load.ByHeader, "replica "+r.Header.Get("Caller"))
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			w.Header().Set("Bff-Partial", "metrics;reason=timeout")
		case 3:
			panic(http.ErrAbortHandler)
		case 4:
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "half")
		case 5:
			w.WriteHeader(http.StatusFound)
		case 6:
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"status":503,"code":"shed"}`)
		case 7:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	tally := load.Start(t.Context(), plan(url)).Finish()
	if diff := cmp.Diff(map[string]int{"200": 5, "502": 1, "503 without Retry-After": 1, "503 shed": 1, "partial metrics;reason=timeout": 1, "closed": 1, "answer cut": 1, "302": 1}, tally.Kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if tally.Total() != 12 || tally.Failed() != 7 || len(tally.First) != 7 || tally.Lost != 2 {
		t.Errorf("%d in all, %d failed, %d remembered, %d lost", tally.Total(), tally.Failed(), len(tally.First), tally.Lost)
	}
	if tally.By["replica 1"]+tally.By["replica 2"] != 5 || tally.By["replica 1"] == 0 {
		t.Errorf("answered by %v", tally.By)
	}
}

func TestARequestOnAKeptConnectionThatIsClosedIsALossAndNotRepeated(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if requests.Add(1)%2 == 0 { // the second one of a connection
			panic(http.ErrAbortHandler)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	p := plan("http://" + listener.Addr().String())
	p.Rate, p.Most = 50, 4 // one after the other
	if tally := load.Start(t.Context(), p).Finish(); tally.String() != "2 of 4 (closed × 2)" || requests.Load() != 4 {
		t.Errorf("%v, and %d requests", tally, requests.Load())
	}
}

func TestALoadIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	p := plan(url)
	p.InFlight, p.Within = 3, 200*time.Millisecond
	l := load.Start(t.Context(), p)
	<-l.Sent()
	if tally := l.Tally(); tally.String() != "9 of 9 (not sent, with 3 in flight × 9)" {
		t.Errorf("while nobody answers: %v", tally)
	}
	if tally := l.Finish(); tally.Kinds["late"] != 3 || tally.Quantile(1) < p.Within {
		t.Errorf("at the end: %v, the slowest after %v", tally, tally.Quantile(1))
	}

	p.Most = 0
	l = load.Start(t.Context(), p)
	close(release)
	for l.Tally().Kinds[load.Whole] < 3 {
		<-time.After(time.Millisecond)
	}
	if tally := l.Stop(); tally.Total() < 3 {
		t.Errorf("when it was stopped: %v", tally)
	}
}

func TestWithoutAServerEveryRequestIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := plan(server.URL)
	p.Fresh = true
	if tally := load.Start(ctx, p).Finish(); tally.String() != "12 of 12 (refused × 12)" {
		t.Errorf("%v", tally)
	}
	if (load.Tally{}).Quantile(0.5) != 0 {
		t.Error("of nothing there is a quantile")
	}
}

func TestATallyCanBeTakenApartByTimeAndByKind(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 6 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	p := plan(url)
	p.Rate = 50 // one after the other, 20 ms apart
	l := load.Start(t.Context(), p)
	tally := l.Finish()
	half := 110 * time.Millisecond
	early, late, failed := tally.Between(0, half), tally.Between(half, time.Hour), tally.Only(func(kind string) bool { return kind == "502" })
	if early.Total()+late.Total() != 12 || early.Failed() > late.Failed() || late.Total() == 0 || early.Total() == 0 {
		t.Errorf("before %v and after %v", early, late)
	}
	if failed.String() != "6 of 6 (502 × 6)" || failed.Quantile(1) == 0 {
		t.Errorf("of one kind: %v", failed)
	}
	if none := tally.Between(time.Hour, 2*time.Hour); none.Total() != 0 || none.Quantile(1) != 0 {
		t.Errorf("of no time: %v", none)
	}
}

func TestABareRequestTellsItsServerThatTheClientHasLeft(t *testing.T) {
	t.Parallel()
	entered, left := make(chan struct{}), make(chan bool, 1)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		select {
		case <-r.Context().Done():
			left <- true
		case <-time.After(5 * time.Second):
			left <- false
		}
	})
	p := plan(url)
	p.Most, p.Bare, p.Fresh = 1, true, true
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	sending := load.Start(ctx, p)
	<-entered
	leave()
	if tally := sending.Finish(); tally.String() != "1 of 1 (cancelled × 1)" {
		t.Errorf("%v", tally)
	}
	if !<-left {
		t.Error("the server has not noticed")
	}
}
