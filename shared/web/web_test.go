package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// edge is a server with routes of every kind, and its log.
type edge struct {
	url, addr string
	log       *lines
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// last returns the last line once it says the id, for a request is logged after it is answered.
func (l *lines) last(t *testing.T, requestID string) map[string]any {
	t.Helper()
	for {
		l.mu.Lock()
		text := l.buf.String()
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			var event map[string]any
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				t.Fatalf("log line %q: %v", line, err)
			}
			if event["requestId"] == requestID {
				return event
			}
		}
		if t.Context().Err() != nil {
			t.Fatal("never logged")
		}
	}
}

const maxBody = 1000

func newEdge(t *testing.T, change func(*web.Config)) edge {
	t.Helper()
	log := &lines{}
	tel, err := telemetry.Open(t.Context(), telemetry.Config{LogLevel: slog.LevelInfo}, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	cfg := web.Config{ExternalURL: url.URL{Scheme: "http", Host: "localhost:8080"}, MaxBody: maxBody}
	if change != nil {
		change(&cfg)
	}
	s := web.New(cfg, tel)
	s.GET("/things/:id", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("id")) })
	s.GET("/panic", func(echo.Context) error { panic("boom") })
	s.GET("/half", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		_, _ = c.Response().Write([]byte("half"))
		c.Response().Flush()
		panic("boom")
	})
	s.GET("/broken", func(echo.Context) error { return errors.New("dial tcp 10.0.0.7: refused") })
	s.GET("/teapot", func(echo.Context) error {
		return fmt.Errorf("wrapped: %w", problem.New(http.StatusTeapot, "teapot", "Short and stout."))
	})
	s.GET("/guarded", func(c echo.Context) error { return c.String(http.StatusOK, "in") }, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.Fail(w, r, problem.New(http.StatusUnauthorized, "missing_token", "").With("WWW-Authenticate", "Bearer"))
		})
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return edge{url: server.URL, addr: strings.TrimPrefix(server.URL, "http://"), log: log}
}

// send writes the request as it stands and reads the answer; no client normalises anything.
func (e edge) send(t *testing.T, method, raw string) (*http.Response, string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (e edge) ask(t *testing.T, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	return e.send(t, method, method+" "+target+" HTTP/1.1\r\nHost: bff\r\nConnection: close\r\n"+strings.Join(headers, "\r\n")+"\r\n\r\n")
}

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
		{"an unknown path", "GET", "/nothing", 404, "not_found"},
		{"the root", "GET", "/", 404, "not_found"},
		{"a longer path than the route's", "GET", "/things/1/x.css", 404, "not_found"},
		{"a wrong method", "DELETE", "/things/1", 405, "method_not_allowed"},
		{"a method nobody knows", "BREW", "/things/1", 405, "method_not_allowed"},
		{"a panic", "GET", "/panic", 500, "internal"},
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

func TestEveryRequestIsOneEventInTheLog(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	for _, tt := range []struct {
		name, target, id string
		want             map[string]any
		says             string // in the member error
	}{
		{
			"an answer", "/things/1", "answer",
			map[string]any{"level": "INFO", "route": "/things/:id", "method": "GET", "status": 200.0, "bytes": 1.0, "clientIp": "127.0.0.1"},
			"",
		},
		{
			"a path that nobody took has no route", "/nothing/" + strings.Repeat("x", 500), "nothing",
			map[string]any{"level": "INFO", "route": "", "status": 404.0},
			"",
		},
		{
			"an error is logged with its cause", "/broken", "broken",
			map[string]any{"level": "ERROR", "route": "/broken", "status": 500.0},
			"10.0.0.7",
		},
		{
			"a panic is logged with its place", "/panic", "panic",
			map[string]any{"level": "ERROR", "route": "/panic", "status": 500.0},
			"web_test.go:",
		},
		{
			"a refusal by middleware names its route", "/guarded", "guarded",
			map[string]any{"level": "INFO", "route": "/guarded", "status": 401.0},
			"missing_token",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, _ := e.ask(t, "GET", tt.target, "X-Request-Id: "+tt.id, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
			if got := resp.Header.Get("X-Request-Id"); got != tt.id {
				t.Errorf("X-Request-Id = %q, want the caller's", got)
			}
			event := e.log.last(t, tt.id)
			tt.want["msg"], tt.want["service"] = "request", "test"
			tt.want["traceId"] = "0af7651916cd43dd8448eb211c80319c"
			for name, want := range tt.want {
				if diff := cmp.Diff(want, event[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if said, _ := event["error"].(string); !strings.Contains(said, tt.says) {
				t.Errorf("error = %q, want it to say %q", said, tt.says)
			}
			if _, ok := event["ms"].(float64); !ok {
				t.Errorf("ms = %v", event["ms"])
			}
		})
	}
}

func TestWhatACallerSaysCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	e := newEdge(t, nil)
	for _, tt := range []struct{ name, header string }{
		{"a request id that is too long", "X-Request-Id: " + strings.Repeat("x", 65)},
		{"a request id of other characters", `X-Request-Id: a"b<c>`},
		{"a malformed traceparent", "traceparent: 00-xyz-1-01"},
		{"an address that nobody vouches for", "X-Forwarded-For: 6.6.6.6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, _ := e.ask(t, "GET", "/things/1", tt.header)
			id := resp.Header.Get("X-Request-Id")
			if len(id) != 32 {
				t.Errorf("X-Request-Id = %q, want one of ours", id)
			}
			event := e.log.last(t, id)
			if event["clientIp"] != "127.0.0.1" || event["traceId"] != id {
				t.Errorf("clientIp = %v, traceId = %v", event["clientIp"], event["traceId"])
			}
		})
	}
}

func TestAnAddressForwardedByATrustedProxyCounts(t *testing.T) {
	t.Parallel()
	e := newEdge(t, func(cfg *web.Config) { cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	e.ask(t, "GET", "/things/1", "X-Request-Id: forwarded", "X-Forwarded-For: 6.6.6.6, 203.0.113.7")
	if got := e.log.last(t, "forwarded")["clientIp"]; got != "203.0.113.7" {
		t.Errorf("clientIp = %v, want the last address before our proxy", got)
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
					if aborted := recover() == http.ErrAbortHandler; aborted != (tt.body == "") {
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

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := web.Config{ExternalURL: url.URL{Scheme: "https", Host: "api.example.com"}, MaxBody: 1}
	for _, tt := range []struct {
		name, variable string
		change         func(*web.Config)
	}{
		{"all well", "", func(*web.Config) {}},
		{"no scheme", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.Scheme = "" }},
		{"a path", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.Path = "/mobile" }},
		{"a password", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.User = url.UserPassword("a", "hunter2") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tt.change(&cfg)
			err := cfg.Validate()
			if tt.variable == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.variable+": ") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v, want one that begins with %s", err, tt.variable)
			}
		})
	}
}
