package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/fanout"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

type page struct {
	User  string   `json:"user"`
	Lines []string `json:"lines"`
}

// answer returns the answer to a request for a page of two sections, and all that was logged and counted.
func answer(t *testing.T, user, activity error) (*httptest.ResponseRecorder, string) {
	t.Helper()
	log := &lines{}
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{MaxBody: maxBody}, tel)
	s.GET("/page", func(c echo.Context) error {
		calls := fanout.New(c.Request().Context(), time.Second)
		u := fanout.Required(calls, "user", func(context.Context, string) (string, error) { return "a<b>", user }, "")
		a := fanout.Optional(calls, "activity", func(context.Context, string) ([]string, error) { return []string{}, activity }, "")
		report, err := calls.Wait()
		if err != nil {
			return err
		}
		return web.Partial(c, page{u.Value(), a.Value()}, report)
	})
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/page", http.NoBody))
	metrics := httptest.NewRecorder()
	tel.Metrics.Handler().ServeHTTP(metrics, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	return rec, log.buf.String() + metrics.Body.String()
}

func TestPartial(t *testing.T) {
	t.Parallel()
	broken := errors.New("dial tcp 10.0.0.7: refused")
	for _, tt := range []struct {
		name           string
		user, activity error
		status         int
		body           string // whole, or the beginning of a problem
		headers        map[string]string
		observed       []string
	}{
		{
			name: "a whole answer pays nothing", status: http.StatusOK,
			body:     `{"user":"a<b>","lines":[]}`,
			headers:  map[string]string{"Cache-Control": "private, no-cache", "Bff-Partial": "", "Content-Type": "application/json"},
			observed: []string{`"sections":{"user":{"status":"ok",`},
		},
		{
			name: "a missing section is null and said three times", activity: broken, status: http.StatusOK,
			body:    `{"user":"a<b>","lines":null,"_meta":{"sections":{"activity":{"status":"unavailable","reason":"bad_answer"}}}}`,
			headers: map[string]string{"Cache-Control": "no-store", "Bff-Partial": "activity;reason=bad_answer"},
			observed: []string{
				`"reason":"bad_answer","error":"dial tcp 10.0.0.7: refused"`,
				`answer_sections_unavailable_total{reason="bad_answer",section="activity"} 1`,
			},
		},
		{
			name: "a deadline has its own reason", activity: context.DeadlineExceeded, status: http.StatusOK,
			body:    `{"user":"a<b>","lines":null,"_meta":{"sections":{"activity":{"status":"unavailable","reason":"timeout"}}}}`,
			headers: map[string]string{"Bff-Partial": "activity;reason=timeout"},
		},
		{
			name: "without a required section there is one problem", user: context.DeadlineExceeded, activity: broken, status: http.StatusGatewayTimeout,
			body:     `{"title":"Gateway Timeout","status":504,"detail":"Without the section user there is no answer.`,
			headers:  map[string]string{"Cache-Control": "no-store", "Bff-Partial": "", "Content-Type": problem.ContentType},
			observed: []string{`"user":{"status":"unavailable"`, `"error":"section user: context deadline exceeded"`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, observed := answer(t, tt.user, tt.activity)
			body := rec.Body.String()
			if rec.Code != tt.status || (tt.status == http.StatusOK && body != tt.body) || !strings.HasPrefix(body, tt.body) {
				t.Errorf("%d %s, want %d %s", rec.Code, body, tt.status, tt.body)
			}
			for name, want := range tt.headers {
				if got := rec.Header().Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if timing := rec.Header().Get("Server-Timing"); !strings.HasPrefix(timing, "user;dur=") || !strings.Contains(timing, ", activity;dur=") {
				t.Errorf("Server-Timing = %q, want both sections in their order", timing)
			}
			for _, want := range tt.observed {
				if !strings.Contains(observed, want) {
					t.Errorf("log and metrics lack %s:\n%s", want, observed)
				}
			}
		})
	}
}
