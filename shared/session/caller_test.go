package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

// seen is what a handler finds in the context of its request.
type seen struct {
	Caller      auth.Caller
	Credentials bool
	Token       string
}

func TestWhatHandlersLearn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	for _, tt := range []struct {
		name       string
		middleware func(http.Handler) http.Handler
		want       seen
	}{
		{"who may call services", w.sessions.Require, seen{
			Caller:      auth.Caller{Kind: "user", ID: "ada", ClientID: "app", Scopes: []string{"openid", "orders"}},
			Credentials: true, Token: "access-1-ada",
		}},
		{"who may only be looked at", w.sessions.Peek, seen{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got seen
			event := telemetry.NewEvent("1")
			handler := tt.middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got.Caller, _ = auth.CallerFrom(r.Context())
				credentials, ok := upstream.CredentialsFrom(r.Context())
				got.Credentials, got.Token = ok, credentials.Token.Reveal()
			}))
			req := httptest.NewRequestWithContext(telemetry.WithEvent(t.Context(), event), http.MethodGet, "/", http.NoBody)
			req.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.cookies["__Host-session"]})
			handler.ServeHTTP(httptest.NewRecorder(), req)
			if expires := got.Caller.Expires; tt.want.Credentials && (time.Until(expires) > 5*time.Minute || time.Until(expires) < 4*time.Minute) {
				t.Errorf("the caller's token ends at %v", expires)
			}
			got.Caller.Expires = time.Time{}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			logged := map[string]string{}
			for _, attr := range event.Attrs() {
				logged[attr.Key] = attr.Value.String()
			}
			if logged["callerKind"] != "user" || logged["callerId"] != "ada" {
				t.Errorf("the log says %v", logged)
			}
		})
	}
}

func TestWhoLeftIsNotAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	for _, path := range []string{"/", "/peek", "/callback", "/logout"} {
		gone, leave := context.WithCancel(t.Context())
		leave()
		req := httptest.NewRequestWithContext(gone, http.MethodGet, path, http.NoBody)
		req.Header.Set("Accept", "text/html")
		req.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.cookies["__Host-session"]})
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, req)
		if rec.Code != 499 {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	b.see(t, "/") // and nothing has ended
}
