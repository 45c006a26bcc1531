package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream/upstreamtest"
	"bff.internal/shared/web"
)

func TestAnswersOfTheEdge(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	for _, tt := range []struct {
		name, method, target string
		status               int
		code                 string // of the problem, or "" for an answer
	}{
		{"a route", "GET", "/things/1", 200, ""},
		{"HEAD answers like GET", "HEAD", "/things/1", 200, ""},
		{"a query is not judged", "GET", "/things/1?next=//a/../b;c%2f", 200, ""},
		{"an escaped space is a space", "GET", "/things/a%20b", 200, ""},
		{"an encoded slash beside a raw character", "GET", `/things%2f1"`, 400, "invalid_path"},
		{"encoded dots beside a raw character", "GET", `/x|/%2e%2e/things/1`, 400, "invalid_path"},
		{"an unknown path", "GET", "/nothing", 404, "not_found"},
		{"the root", "GET", "/", 404, "not_found"},
		{"a longer path than the route's", "GET", "/things/1/x.css", 404, "not_found"},
		{"a wrong method", "DELETE", "/things/1", 405, "method_not_allowed"},
		{"a method nobody knows", "BREW", "/things/1", 405, "method_not_allowed"},
		{"a panic", "GET", "/panic", 500, "internal"},
		{"something was cancelled, and not by the client", "GET", "/cancelled", 500, "internal"},
		{"an error that nobody knows", "GET", "/broken", 500, "internal"},
		{"a problem, however deep", "GET", "/teapot", 418, "teapot"},
		{"middleware that refuses", "GET", "/guarded", 401, "missing_token"},
		{"an error under HEAD has no body", "HEAD", "/broken", 500, ""},
		{"an empty segment", "GET", "//things/1", 400, "invalid_path"},
		{"an empty segment inside", "GET", "/things//1", 400, "invalid_path"},
		{"two dots", "GET", "/x/../things/1", 400, "invalid_path"},
		{"two dots at the end", "GET", "/things/..", 400, "invalid_path"},
		{"a dot", "GET", "/./things/1", 400, "invalid_path"},
		{"a dot at the end", "GET", "/things/.", 400, "invalid_path"},
		{"an encoded slash", "GET", "/things%2f1", 400, "invalid_path"},
		{"an encoded slash in upper case", "GET", "/things%2F1", 400, "invalid_path"},
		{"an encoded dot", "GET", "/x/%2E%2e/things/1", 400, "invalid_path"},
		{"half encoded dots", "GET", "/x/.%2e/things/1", 400, "invalid_path"},
		{"an encoded backslash", "GET", "/things%5c1", 400, "invalid_path"},
		{"a backslash", "GET", `/things\1`, 400, "invalid_path"},
		{"an encoded percent sign", "GET", "/things%252f1", 400, "invalid_path"},
		{"an encoded zero", "GET", "/things/1%00", 400, "invalid_path"},
		{"an encoded semicolon", "GET", "/things/1%3Ba=b", 400, "invalid_path"},
		{"a control character beyond ASCII", "GET", "/things/a%c2%85b", 400, "invalid_path"},
		{"an encoded line break", "GET", "/things/1%0d%0aX:1", 400, "invalid_path"},
		{"a semicolon", "GET", "/things/1;a=b", 400, "invalid_path"},
		{"a whole URL of somebody else is its path", "GET", "http://evil.test/things/1", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := e.ask(t, tt.method, tt.target)
			if resp.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if tt.method == http.MethodHead {
				if body != "" || resp.Header.Get("Content-Length") == "" {
					t.Errorf("HEAD: body %q, Content-Length %q", body, resp.Header.Get("Content-Length"))
				}
				return
			}
			if tt.status >= http.StatusBadRequest {
				checkProblem(t, resp, body, tt.code)
			}
			for _, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "X-Request-Id", "Cache-Control"} {
				if resp.Header.Get(name) == "" {
					t.Errorf("no %s", name)
				}
			}
			if (resp.StatusCode == http.StatusMethodNotAllowed) != (resp.Header.Get("Allow") != "") {
				t.Errorf("Allow = %q beside %d", resp.Header.Get("Allow"), resp.StatusCode)
			}
		})
	}
}

func checkProblem(t *testing.T, resp *http.Response, body, code string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if resp.Header.Get("Content-Type") != problem.ContentType || p.Code != code || p.Status != resp.StatusCode || p.Title == "" || len(p.TraceID) != 32 {
		t.Errorf("%s %s, want the problem %s with title, status and trace id", resp.Header.Get("Content-Type"), body, code)
	}
	for _, secret := range []string{"10.0.0.7", "boom", ".go:"} {
		if strings.Contains(body, secret) {
			t.Errorf("the problem tells %q: %s", secret, body)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	large := strings.Repeat("x", maxBody+1)
	for _, tt := range []struct {
		name, head, body string
		status           int
	}{
		{"none", "", "", 200},
		{"one that fits", fmt.Sprintf("Content-Length: %d\r\n", maxBody), large[:maxBody], 200},
		{"one too large", fmt.Sprintf("Content-Length: %d\r\n", maxBody+1), large, 413},
		{"one too large that is never sent", "Content-Length: 1000000000000\r\n", "", 413},
		{"one too large without a length", "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large), 413},
		{"one without a length that fits", "Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n", 200},
		{"one that is broken", "Transfer-Encoding: chunked\r\n", "zz\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := e.send(t, "GET", "GET /things/1 HTTP/1.1\r\nHost: bff\r\nConnection: close\r\n"+tt.head+"\r\n"+tt.body)
			if resp.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if tt.status == http.StatusRequestEntityTooLarge {
				checkProblem(t, resp, body, "body_too_large")
			}
		})
	}
}

// net/http looks for the end of a connection only when the body of its request has been read.
func TestAClientThatLeavesIsNoticedThoughItSentABody(t *testing.T) {
	t.Parallel()
	edge := web.New(web.Config{MaxBody: maxBody}, upstreamtest.Telemetry(t))
	came, left := make(chan struct{}), make(chan bool, 1)
	edge.GET("/waits", func(c echo.Context) error {
		close(came)
		ctx, cancel := context.WithTimeout(c.Request().Context(), 5*time.Second)
		defer cancel()
		<-ctx.Done()
		left <- errors.Is(ctx.Err(), context.Canceled)
		return ctx.Err()
	})
	server := httptest.NewServer(edge)
	defer server.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /waits HTTP/1.1\r\nHost: bff\r\nContent-Length: 1\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	<-came
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if !<-left {
		t.Error("the handler went on for nobody")
	}
}

func TestHalfAnAnswerIsNeverTakenForAWholeOne(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	resp, err := http.Get(e.url + "/half")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("read %q to its end, want a connection that breaks", body)
	}
}

func TestBehindHTTPSTheBrowserIsToldToStayThere(t *testing.T) {
	t.Parallel()
	e := newEdge(t, func(cfg *web.Config) { cfg.ExternalURL.Scheme = "https" })
	resp, _ := e.ask(t, "GET", "/things/1")
	if got := resp.Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no Strict-Transport-Security")
	}
}

func TestARequestThatEndsEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		cause  error // nil means that the client left
		status int
		body   string
	}{
		{"the client left: logged as 499, written nothing, not even an empty 200", nil, 499, ""},
		{"the process stops: the client is told to come back", errors.New("the service stops"), 503, "stopping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &lines{}
			tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", log)
			if err != nil {
				t.Fatal(err)
			}
			s := web.New(web.Config{MaxBody: maxBody}, tel)
			s.GET("/slow", func(c echo.Context) error { return c.Request().Context().Err() })
			ctx, end := context.WithCancelCause(t.Context())
			end(tt.cause)
			req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/slow", http.NoBody)
			req.Header.Set("X-Request-Id", "ended")
			rec := httptest.NewRecorder()
			func() {
				defer func() {
					if aborted := recover() == any(http.ErrAbortHandler); aborted != (tt.body == "") {
						t.Errorf("connection aborted = %v", aborted)
					}
				}()
				s.ServeHTTP(rec, req)
			}()
			if tt.body == "" && rec.Body.Len() != 0 || !strings.Contains(rec.Body.String(), tt.body) {
				t.Errorf("wrote %q, want %q", rec.Body, tt.body)
			}
			if got := log.last(t, "ended")["status"]; got != float64(tt.status) {
				t.Errorf("status = %v, want %d", got, tt.status)
			}
		})
	}
}
