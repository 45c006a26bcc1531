package credentials_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/problem"
)

func TestWhatIsAwayIsNamed(t *testing.T) {
	t.Parallel()
	away := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not see the client leave
		<-r.Context().Done()
	}
	for _, tt := range []struct {
		name, path string
		change     func(*world)
		code, says string
	}{
		{"Identity, for a token", "/dev/credentials", func(w *world) { w.cfg.IssuerInternal.Host = "127.0.0.1:1" }, "sign_in_failed", issuer + " does not answer: dial tcp 127.0.0.1:1: "},
		{"Identity, for a session", "/dev/session", func(w *world) { w.cfg.IssuerInternal.Host = "127.0.0.1:1" }, "sign_in_failed", issuer + " does not answer: dial tcp 127.0.0.1:1: "},
		{"the edge", "/dev/session", func(w *world) { w.cfg.EdgeInternal.Host = "127.0.0.1:1" }, "sign_in_failed", edgeURL + " does not answer: dial tcp 127.0.0.1:1: "},
		{"bff-web behind the edge", "/dev/session", func(w *world) { w.edge = http.HandlerFunc(away) }, "sign_in_failed", edgeURL + "/web/login says 502 Bad Gateway"},
		{"an Identity that hangs, for a token", "/dev/credentials", func(w *world) { w.identity, w.cfg.Within = http.HandlerFunc(hang), 50*time.Millisecond }, "sign_in_failed", issuer + " does not answer: context deadline exceeded"},
		{"an Identity that hangs, for a session", "/dev/session", func(w *world) { w.identity, w.cfg.Within = http.HandlerFunc(hang), 50*time.Millisecond }, "sign_in_failed", issuer + " does not answer: context deadline exceeded"},
		{"an Identity with another password", "/dev/credentials", func(w *world) { w.cfg.Password = "hunter2" }, "sign_in_failed", issuer + "/login says 401 Unauthorized"},
		{"an Identity of another name", "/dev/credentials", func(w *world) {
			w.identity = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"issuer":"http://other.test"}`)
			})
		}, "sign_in_failed", issuer + " says that it is http://other.test"},
		{"an Identity that is none", "/dev/credentials", func(w *world) { w.identity = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) }, "sign_in_failed", "/.well-known/openid-configuration gives no answer that can be read"},
		{"an edge that sends elsewhere", "/dev/session", func(w *world) { w.edge = http.RedirectHandler("http://elsewhere.test/", http.StatusFound) }, "sign_in_failed", "http://elsewhere.test is neither the edge nor Identity"},
		{"an edge that sends nowhere", "/dev/session", func(w *world) {
			w.edge = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "http://[") })
		}, "sign_in_failed", edgeURL + "/web/login sends nowhere"},
		{"an edge that sends round", "/dev/session", func(w *world) { w.edge = http.RedirectHandler("/web/login", http.StatusFound) }, "sign_in_failed", "round in circles"},
		{"the partner's key", "/dev/credentials", func(w *world) {
			w.cfg.PartnerKey = func(context.Context) (string, error) { return "", errors.New("redis://:hunter2@redis is away") }
		}, "no_partner_key", "The key of the demo partner could not be had."},
		{"a partner's key that takes too long", "/dev/credentials", func(w *world) {
			w.cfg.Within = time.Second
			w.cfg.PartnerKey = func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", ctx.Err()
			}
		}, "no_partner_key", "The key of the demo partner could not be had."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.change(w)
			answer := w.ask(t, http.MethodGet, "http://localhost"+tt.path)
			var got problem.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, answer.Body)
			}
			if answer.Code != http.StatusBadGateway || got.Code != tt.code || !strings.Contains(got.Detail, tt.says) {
				t.Errorf("%d %s, want %s: … %s", answer.Code, answer.Body, tt.code, tt.says)
			}
			if strings.Contains(answer.Body.String(), "hunter2") {
				t.Errorf("it tells a secret: %s", answer.Body)
			}
			if lines := strings.Count(w.log.String(), "\n"); lines != 1 || !strings.Contains(w.log.String(), "path="+tt.path) {
				t.Errorf("the log: %s", &w.log)
			}
		})
	}
}
