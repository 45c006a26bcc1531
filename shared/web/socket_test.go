package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

func TestAConnectionThatIsTakenOverIsLoggedAs101(t *testing.T) {
	t.Parallel()
	const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
		status int
		level  string
	}{
		{"and the handler returns", func(http.ResponseWriter, *http.Request) {}, 101, "INFO"},
		{"and the handler fails afterwards, when no problem can be sent", func(w http.ResponseWriter, r *http.Request) {
			web.Fail(w, r, problem.New(http.StatusTeapot, "teapot", ""))
		}, 101, "INFO"},
		{"and the handler panics afterwards", func(http.ResponseWriter, *http.Request) { panic("boom") }, 101, "ERROR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &lines{}
			tel, err := telemetry.Open(t.Context(), telemetry.Config{LogLevel: slog.LevelInfo}, "test", log)
			if err != nil {
				t.Fatal(err)
			}
			s := web.New(web.Config{ExternalURL: url.URL{Scheme: "http", Host: "localhost:8080"}, MaxBody: maxBody}, tel)
			s.GET("/socket", echo.WrapHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if _, err := io.WriteString(conn, switching); err != nil {
					t.Error(err)
				}
				tt.handle(w, r)
			})))
			server := httptest.NewServer(s)
			defer server.Close()
			e := edge{url: server.URL, addr: strings.TrimPrefix(server.URL, "http://"), log: log}
			resp, _ := e.send(t, "GET", "GET /socket HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: test\r\nX-Request-Id: socket\r\nAccept-Encoding: gzip, zstd\r\n\r\n")
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("status = %d", resp.StatusCode)
			}
			event := log.last(t, "socket")
			if event["status"] != float64(tt.status) || event["route"] != "/socket" || event["level"] != tt.level {
				t.Errorf("logged: %v", event)
			}
		})
	}
}
