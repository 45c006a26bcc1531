package fault_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"bff.internal/mockservices/internal/fault"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// service is something that can be broken; whole it answers 200 "served".
type service struct {
	faults  *fault.Faults
	handler http.Handler
}

func newService() service {
	faults := fault.New()
	return service{faults, faults.Inject(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// A recorder takes everything.
		_, _ = w.Write([]byte("served"))
	}))}
}

func (s service) put(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.faults.Replace(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/_faults", strings.NewReader(body)))
	return recorder
}

func (s service) shown(t *testing.T) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.faults.Show(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_faults", http.NoBody))
	return recorder.Body.String()
}

func (s service) end(t *testing.T) {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.faults.End(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/_faults", http.NoBody))
	if recorder.Code != http.StatusNoContent {
		t.Errorf("DELETE: %d", recorder.Code)
	}
}

func (s service) call(ctx context.Context) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader("{}")))
	return recorder
}

func TestReplace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		body    string
		pointer string // of the member that is refused; "" when nothing is
	}{
		{"everything at once", `{"latency":"2s","status":503,"errorRate":0.2,"hang":false}`, ""},
		{"nothing at all", `{}`, ""},
		{"the ends of the ranges", `{"latency":"0s","status":599,"errorRate":1}`, ""},
		{"a status without a body", `{"status":204}`, ""},
		{"an unknown member", `{"lag":"2s"}`, "/lag"},
		{"a member in another case", `{"Latency":"2s"}`, "/Latency"},
		{"a member twice", `{"status":500,"status":503}`, "/status"},
		{"a duration without a unit", `{"latency":"2"}`, "/latency"},
		{"a duration as a number", `{"latency":2}`, "/latency"},
		{"a negative duration", `{"latency":"-1s"}`, "/latency"},
		{"a status that is too low", `{"status":99}`, "/status"},
		{"an interim status", `{"status":103}`, "/status"},
		{"a status that is too high", `{"status":600}`, "/status"},
		{"half a status", `{"status":500.5}`, "/status"},
		{"a negative share", `{"errorRate":-0.1}`, "/errorRate"},
		{"more than all", `{"errorRate":1.1}`, "/errorRate"},
		{"a hang that is no boolean", `{"hang":"yes"}`, "/hang"},
		{"slots and stragglers", `{"slots":20,"work":"200ms","stragglers":0.02,"straggle":"500ms","seed":7}`, ""},
		{"the ends of their ranges", `{"slots":1000,"work":"1ns","stragglers":1,"straggle":"1ns","seed":18446744073709551615}`, ""},
		{"slots without work", `{"slots":20}`, "/work"},
		{"work without slots", `{"work":"200ms"}`, "/work"},
		{"no slot at all", `{"slots":0,"work":"200ms"}`, "/slots"},
		{"too many slots", `{"slots":1001,"work":"200ms"}`, "/slots"},
		{"half a slot", `{"slots":0.5,"work":"200ms"}`, "/slots"},
		{"work that takes no time", `{"slots":1,"work":"0s"}`, "/work"},
		{"work without a unit", `{"slots":1,"work":"2"}`, "/work"},
		{"stragglers that are not late", `{"stragglers":0.5}`, "/straggle"},
		{"stragglers that are early", `{"stragglers":0.5,"straggle":"-1s"}`, "/straggle"},
		{"lateness of nobody", `{"straggle":"500ms"}`, "/straggle"},
		{"a seed for nothing", `{"seed":7}`, "/seed"},
		{"a negative seed", `{"stragglers":0.5,"straggle":"1s","seed":-1}`, "/seed"},
		{"a negative share of stragglers", `{"stragglers":-0.1,"straggle":"1s"}`, "/stragglers"},
		{"more stragglers than requests", `{"stragglers":1.1,"straggle":"1s"}`, "/stragglers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newService()
			if recorder := s.put(t, `{"status":418}`); recorder.Code != http.StatusOK {
				t.Fatalf("before: %d", recorder.Code)
			}
			recorder := s.put(t, test.body)
			if test.pointer == "" {
				if recorder.Code != http.StatusOK || s.shown(t) != test.body {
					t.Errorf("answer: %d %s, then shown %s", recorder.Code, recorder.Body, s.shown(t))
				}
				return
			}
			var problem struct {
				Code, Detail string
				Errors       []struct{ Pointer string }
			}
			if err := json.Unmarshal(recorder.Body.Bytes(), &problem); err != nil {
				t.Fatal(err)
			}
			if recorder.Code != http.StatusBadRequest || problem.Code != "bad_body" ||
				!strings.HasPrefix(problem.Detail, test.pointer[1:]) || problem.Errors[0].Pointer != test.pointer {
				t.Errorf("answer: %d %s", recorder.Code, recorder.Body)
			}
			if s.shown(t) != `{"status":418}` {
				t.Errorf("a refused body changed the faults to %s", s.shown(t))
			}
		})
	}
}

func TestReplaceRefusesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `[]`, `{`, `{} {}`, `null`} {
		if recorder := newService().put(t, body); recorder.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", body, recorder.Code)
		}
	}
}

func TestInjectedStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   string
		status int
		want   string // a part of the answer
	}{
		{"a status befalls every request", `{"status":503}`, 503, `"code":"injected_fault"`},
		{"a rate alone means 500", `{"errorRate":1}`, 500, `"code":"injected_fault"`},
		{"a rate of nothing befalls none", `{"status":503,"errorRate":0}`, 200, "served"},
		{"hanging explicitly not is whole", `{"hang":false}`, 200, "served"},
		{"no faults are whole", `{}`, 200, "served"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newService()
			s.put(t, test.body)
			for range 20 {
				if got := s.call(t.Context()); got.Code != test.status || !strings.Contains(got.Body.String(), test.want) {
					t.Fatalf("answer: %d %s", got.Code, got.Body)
				}
			}
			s.end(t)
			if got := s.call(t.Context()); got.Code != http.StatusOK || s.shown(t) != "{}" {
				t.Errorf("after the end: %d, shown %s", got.Code, s.shown(t))
			}
		})
	}
}

func TestInjectedStatusWithoutBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"status":204}`, `{"status":304}`} {
		s := newService()
		s.put(t, body)
		if got := s.call(t.Context()); got.Body.Len() > 0 || got.Header().Get("Content-Type") != "" {
			t.Errorf("%s: %v %s", body, got.Header(), got.Body)
		}
	}
}

func TestErrorRateIsAShare(t *testing.T) {
	t.Parallel()
	s := newService()
	s.put(t, `{"status":503,"errorRate":0.25}`)
	broken := 0
	for range 4000 {
		if s.call(t.Context()).Code == http.StatusServiceUnavailable {
			broken++
		}
	}
	// Seven standard deviations to either side.
	if broken < 800 || broken > 1200 {
		t.Errorf("%d of 4000 broke", broken)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.put(t, `{"latency":"2s","status":503,"errorRate":0}`)
		began := time.Now()
		if got := s.call(t.Context()); got.Code != http.StatusOK || time.Since(began) != 2*time.Second {
			t.Errorf("answer: %d after %v", got.Code, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if s.call(ctx); time.Since(began) != time.Second {
			t.Errorf("a client that left kept the request for %v", time.Since(began))
		}
	})
}

func TestHang(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		release func(t *testing.T, s service, leave context.CancelFunc)
		want    int
	}{
		{"until the faults end", func(t *testing.T, s service, _ context.CancelFunc) {
			t.Helper()
			s.end(t)
		}, 200},
		{"until other faults come", func(t *testing.T, s service, _ context.CancelFunc) {
			t.Helper()
			s.put(t, `{"status":500}`)
		}, 200},
		{"until the client leaves", func(_ *testing.T, _ service, leave context.CancelFunc) { leave() }, 503},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.put(t, `{"hang":true,"status":500}`)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				answered := make(chan int, 1)
				go func() { answered <- s.call(ctx).Code }()

				time.Sleep(time.Hour)
				select {
				case status := <-answered:
					t.Fatalf("answered %d", status)
				default:
				}
				test.release(t, s, leave)
				if got := <-answered; got != test.want {
					t.Errorf("answered %d, want %d", got, test.want)
				}
			})
		})
	}
}
