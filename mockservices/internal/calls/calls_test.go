package calls_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/mockservices/internal/calls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a stand-in whose calls last until they are let go, or their clients leave.
type service struct {
	calls   *calls.Calls
	handler http.Handler
	letGo   chan struct{}
}

func newService() service {
	s := service{calls: calls.New(), letGo: make(chan struct{})}
	s.handler = s.calls.Count(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-s.letGo:
		case <-r.Context().Done():
		}
	}))
	return s
}

func (s service) call(ctx context.Context, request string) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	if request != "" {
		r.Header.Set("X-Request-Id", request)
	}
	s.handler.ServeHTTP(httptest.NewRecorder(), r)
}

type counts struct{ Calls, InFlight, MostInFlight, Left, MostOfOneRequest, RequestsAskedTwice int }

func (s service) wants(t *testing.T, want counts) {
	t.Helper()
	synctest.Wait()
	recorder := httptest.NewRecorder()
	s.calls.Show(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_calls", http.NoBody))
	var got counts
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestCallsAreCountedFromTheirComingToTheirEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.wants(t, counts{})
		ctx, leave := context.WithCancel(t.Context())
		for _, request := range []string{"a", "b", "a", "a", "b", "c"} {
			go s.call(t.Context(), request)
		}
		go s.call(ctx, "")
		go s.call(ctx, "")
		s.wants(t, counts{Calls: 8, InFlight: 8, MostInFlight: 8, MostOfOneRequest: 3, RequestsAskedTwice: 2})
		leave()
		s.wants(t, counts{Calls: 8, InFlight: 6, MostInFlight: 8, Left: 2, MostOfOneRequest: 3, RequestsAskedTwice: 2})
		close(s.letGo)
		s.wants(t, counts{Calls: 8, MostInFlight: 8, Left: 2, MostOfOneRequest: 3, RequestsAskedTwice: 2})
	})
}

func TestWhatIsInFlightStaysSoWhenTheCountsStartAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		go s.call(t.Context(), "a")
		synctest.Wait()
		recorder := httptest.NewRecorder()
		s.calls.Restart(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/_calls", http.NoBody))
		if recorder.Code != http.StatusNoContent {
			t.Errorf("DELETE: %d", recorder.Code)
		}
		s.wants(t, counts{InFlight: 1, MostInFlight: 1})
		go s.call(t.Context(), "a")
		s.wants(t, counts{Calls: 1, InFlight: 2, MostInFlight: 2, MostOfOneRequest: 1})
		close(s.letGo)
		s.wants(t, counts{Calls: 1, MostInFlight: 2, MostOfOneRequest: 1})
	})
}

func TestOnlySoManyRequestsAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		close(s.letGo)
		const most = 100_000
		for i := range most + 1 { // the last one pushes out the first
			s.call(t.Context(), strconv.Itoa(i))
		}
		s.call(t.Context(), "0")
		s.wants(t, counts{Calls: most + 2, MostInFlight: 1, MostOfOneRequest: 1})
		s.call(t.Context(), "2")
		s.wants(t, counts{Calls: most + 3, MostInFlight: 1, MostOfOneRequest: 2, RequestsAskedTwice: 1})
	})
}
