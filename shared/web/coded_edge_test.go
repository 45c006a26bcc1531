package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

// long is a text that is worth compressing.
var long = strings.Repeat("so many words ", 300)

// newCodedEdge has routes that answer in all manners.
func newCodedEdge(t *testing.T) edge {
	t.Helper()
	log := &lines{}
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{MaxBody: maxBody}, tel)
	text := func(path, contentType, body string) {
		s.GET(path, func(c echo.Context) error { return c.Blob(http.StatusOK, contentType, []byte(body)) })
	}
	text("/html", "text/html; charset=utf-8", long)
	text("/yaml", "application/yaml", long)
	text("/upper", "Text/HTML", long)
	text("/image", "image/png", long)
	text("/255", "text/plain", long[:255])
	text("/256", "text/plain", long[:256])
	s.GET("/json", func(c echo.Context) error { return web.OK(c, page{User: long}) })
	s.GET("/problem", func(echo.Context) error { return problem.New(http.StatusTeapot, "teapot", long) })
	s.GET("/nothing", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	s.GET("/coded", func(c echo.Context) error {
		c.Response().Header().Set("Content-Encoding", "br")
		return c.Blob(http.StatusOK, "text/plain", []byte(long))
	})
	s.GET("/tagged", func(c echo.Context) error {
		c.Response().Header().Set("Etag", `"1"`)
		if c.QueryParam("known") != "" {
			return c.NoContent(http.StatusNotModified)
		}
		return c.Blob(http.StatusOK, "text/css", []byte(long))
	})
	s.GET("/file", func(c echo.Context) error { // as HEAD need not make what it does not send
		c.Response().Header().Set("Content-Type", "text/css")
		c.Response().Header().Set("Content-Length", "4200")
		c.Response().WriteHeader(http.StatusOK)
		if c.Request().Method == http.MethodHead {
			return nil
		}
		_, err := io.WriteString(c.Response(), long)
		return err
	})
	addBroken(s)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return edge{url: server.URL, addr: strings.TrimPrefix(server.URL, "http://"), log: log}
}

// decode takes the coding off again.
func decode(t *testing.T, coding, body string) string {
	t.Helper()
	var reader io.Reader = strings.NewReader(body)
	switch coding {
	case "gzip":
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			t.Fatal(err)
		}
		reader = unzipped
	case "zstd":
		decoder, err := zstd.NewReader(reader, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		reader = decoder
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	return string(plain)
}
