package web_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/fanout"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

// newTagged answers with what the query says, to whom the header From says.
func newTagged(t *testing.T) http.Handler {
	t.Helper()
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{MaxBody: maxBody}, tel)
	handle := func(c echo.Context) error {
		report := fanout.Report{}
		if c.QueryParam("partial") != "" {
			report.Sections = []fanout.Section{{Name: "lines", Err: http.ErrServerClosed, Took: time.Millisecond}}
		}
		return web.Partial(c, page{User: c.QueryParam("user")}, report)
	}
	identify := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if from := r.Header.Get("From"); from != "" {
				r = r.WithContext(upstream.WithCredentials(r.Context(), upstream.Credentials{Key: from}))
			}
			next.ServeHTTP(w, r)
		})
	}
	s.GET("/page", handle, identify)
	s.POST("/page", handle, identify)
	s.GET("/plain", func(c echo.Context) error { return web.OK(c, page{}) }, identify)
	return s
}

// tagged asks for the target.
func tagged(t *testing.T, handler http.Handler, method, target string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	req.Header = header.Clone()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec
}

func TestWhatHasATag(t *testing.T) {
	t.Parallel()
	handler := newTagged(t)
	tag := func(target, from string) string {
		rec := tagged(t, handler, "GET", target, http.Header{"From": {from}})
		if rec.Code != http.StatusOK {
			t.Errorf("%s: %d", target, rec.Code)
		}
		return rec.Header().Get("Etag")
	}
	ada := tag("/page?user=x", "ada")
	if !regexp.MustCompile(`^W/"[\w-]{22}"$`).MatchString(ada) {
		t.Errorf("ETag = %q, want a weak one", ada)
	}
	if again := tag("/page?user=x", "ada"); again != ada {
		t.Errorf("the same answer again: %q, want %q", again, ada)
	}
	for _, tt := range []struct{ name, target, from string }{
		{"another answer", "/page?user=y", "ada"},
		{"another caller", "/page?user=x", "bob"},
		{"a caller whose name begins alike", "/page?user=x", "adam"},
		{"a caller whose name is very long", "/page?user=x", "ada" + strings.Repeat("m", 500)},
	} {
		if got := tag(tt.target, tt.from); got == ada || got == "" {
			t.Errorf("%s: ETag = %q", tt.name, got)
		}
	}
	for _, tt := range []struct{ name, target, from string }{
		{"nobody knows who asks", "/page?user=x", ""},
		{"a section is missing", "/page?user=x&partial=1", "ada"},
		{"an answer that no cache keeps", "/plain", "ada"},
	} {
		if got := tag(tt.target, tt.from); got != "" {
			t.Errorf("%s: ETag = %q, want none", tt.name, got)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	handler := newTagged(t)
	whole := tagged(t, handler, "GET", "/page?user=x", http.Header{"From": {"ada"}})
	tag := whole.Header().Get("Etag")
	strong := strings.TrimPrefix(tag, "W/")
	for _, tt := range []struct {
		name, method, target, from string
		ifNoneMatch                []string
		status                     int
	}{
		{name: "nothing to compare with", status: 200},
		{name: "the same", ifNoneMatch: []string{tag}, status: 304},
		{name: "the same, as if it were strong", ifNoneMatch: []string{strong}, status: 304},
		{name: "one of several", ifNoneMatch: []string{`"a", W/"b" ,` + tag + ` , "c"`}, status: 304},
		{name: "in the second of two lines", ifNoneMatch: []string{`"a"`, tag}, status: 304},
		{name: "any", ifNoneMatch: []string{" * "}, status: 304},
		{name: "another", ifNoneMatch: []string{`"a"`}, status: 200},
		{name: "a part of it", ifNoneMatch: []string{strong[:10] + `"`}, status: 200},
		{name: "without its quotes", ifNoneMatch: []string{strings.Trim(strong, `"`)}, status: 200},
		{name: "weak twice", ifNoneMatch: []string{"W/" + tag}, status: 200},
		{name: "weak in another case", ifNoneMatch: []string{"w/" + strong}, status: 200},
		{name: "an asterisk within a tag", ifNoneMatch: []string{`"a,*,b"`}, status: 200},
		{name: "garbage", ifNoneMatch: []string{`, W/, ", W/"`, ``, `"`, "\x00"}, status: 200},
		{name: "the same, to HEAD", method: "HEAD", ifNoneMatch: []string{tag}, status: 304},
		{name: "another, to HEAD", method: "HEAD", ifNoneMatch: []string{`"a"`}, status: 200},
		{name: "the same, to POST", method: "POST", ifNoneMatch: []string{tag}, status: 200},
		{name: "any, to POST", method: "POST", ifNoneMatch: []string{"*"}, status: 200},
		{name: "of somebody else", from: "bob", ifNoneMatch: []string{tag}, status: 200},
		{name: "of another answer", target: "/page?user=y", ifNoneMatch: []string{tag}, status: 200},
		{name: "an answer without a section", target: "/page?user=x&partial=1", ifNoneMatch: []string{tag, "*"}, status: 200},
	} {
		for _, coding := range codings() {
			t.Run(tt.name+", in "+coding, func(t *testing.T) {
				t.Parallel()
				header := http.Header{"From": {cmp.Or(tt.from, "ada")}, "If-None-Match": tt.ifNoneMatch, "Accept-Encoding": {coding}}
				rec := tagged(t, handler, cmp.Or(tt.method, "GET"), cmp.Or(tt.target, "/page?user=x"), header)
				if rec.Code != tt.status {
					t.Fatalf("status = %d, want %d", rec.Code, tt.status)
				}
				if got := rec.Header().Get("Vary"); got != "Accept-Encoding" {
					t.Errorf("Vary = %q", got)
				}
				if tt.status != http.StatusNotModified {
					return
				}
				for _, name := range []string{"Etag", "Cache-Control", "Vary", "X-Content-Type-Options", "Content-Security-Policy"} {
					if got, want := rec.Header().Get(name), whole.Header().Get(name); got != want || want == "" {
						t.Errorf("%s = %q, want %q", name, got, want)
					}
				}
				for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
					if got := rec.Header().Values(name); got != nil {
						t.Errorf("%s = %q", name, got)
					}
				}
				if rec.Body.Len() != 0 {
					t.Errorf("a body: %s", rec.Body)
				}
			})
		}
	}
}
