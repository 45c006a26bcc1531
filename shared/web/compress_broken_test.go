package web_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/web"
)

// addBroken adds routes whose answers have no good end.
func addBroken(s *web.Server) {
	begin := func(c echo.Context, body string) {
		c.Response().Header().Set("Content-Type", "text/plain")
		c.Response().WriteHeader(http.StatusOK)
		_, _ = io.WriteString(c.Response(), body)
	}
	for path, body := range map[string]string{"/half/none": "", "/half/small": "half", "/half/large": long} {
		s.GET(path, func(c echo.Context) error {
			begin(c, body)
			panic("boom")
		})
		s.GET(path+"/error", func(c echo.Context) error {
			begin(c, body)
			return errors.New("too late")
		})
		s.GET(path+"/abort", func(c echo.Context) error {
			begin(c, body)
			panic(http.ErrAbortHandler)
		})
	}
	s.GET("/bare/error", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(c.Response().Writer, "half") // past echo, which would say a status first
		return errors.New("too late")
	})
	s.GET("/panic", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/plain")
		panic("boom")
	})
	s.GET("/broken", func(echo.Context) error { return errors.New("dial tcp 10.0.0.7: refused") })
}

// codings are those that an answer may be asked for in.
func codings() []string { return []string{"identity", "gzip", "zstd"} }

func TestAPanicBeforeTheAnswerIsAProblemInEveryCoding(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	for _, coding := range codings() {
		resp, body := e.ask(t, "GET", "/panic", "Accept-Encoding: "+coding)
		if resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("Content-Encoding") != "" {
			t.Fatalf("%s: %d %v", coding, resp.StatusCode, resp.Header)
		}
		checkProblem(t, resp, body, "internal")
	}
}

func TestAPanicWithinTheAnswerCutsItOffInEveryCoding(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	for _, coding := range codings() {
		for _, target := range []string{"/half/none", "/half/small", "/half/large", "/half/large/abort", "/half/small/abort"} {
			id := strings.ReplaceAll(coding+target, "/", "-")
			if whole := readWhole(t, e, target, coding, id); whole {
				t.Errorf("%s in %s: taken for a whole answer", target, coding)
			}
			if event := e.log.last(t, id); event["level"] != "ERROR" || event["status"] != 200.0 {
				t.Errorf("%s in %s: logged %v", target, coding, event)
			}
		}
	}
}

// readWhole reports whether the answer has an end.
func readWhole(t *testing.T, e edge, target, coding, id string) bool {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: bff\r\nX-Request-Id: "+id+"\r\nAccept-Encoding: "+coding+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil
}

func TestAnErrorWithinTheAnswerAddsNothingToIt(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	for _, coding := range codings() {
		for target, want := range map[string]string{"/half/none/error": "", "/half/small/error": "half", "/half/large/error": long, "/bare/error": "half"} {
			resp, body := e.ask(t, "GET", target, "Accept-Encoding: "+coding)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s in %s: %d %v", target, coding, resp.StatusCode, resp.Header)
			}
			if got := decode(t, resp.Header.Get("Content-Encoding"), body); got != want {
				t.Errorf("%s in %s: %.80q, want %.80q", target, coding, got, want)
			}
		}
	}
}
