package page_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"bff.internal/bff-web/page"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const vendored = "centrifuge-5.8.0.mjs"

// edge serves the page as bff-web does: behind the edge, whose headers have to give way.
func edge(tb testing.TB) http.Handler {
	tb.Helper()
	server := web.New(web.Config{ExternalURL: url.URL{Scheme: "http", Host: "localhost:8080"}, MaxBody: 1 << 20},
		platformtest.New(tb, http.DefaultTransport).Telemetry)
	server.GET("/web", page.Redirect)
	server.GET("/web/", page.Index)
	server.GET("/web/assets/:file", page.Asset)
	return server
}

func ask(tb testing.TB, handler http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	tb.Helper()
	req := httptest.NewRequestWithContext(tb.Context(), method, path, http.NoBody)
	req.Header = header
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec
}

func TestEveryFileIsServed(t *testing.T) {
	t.Parallel()
	handler := edge(t)
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
	}
	for name, content := range assets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := "/web/assets/" + name
			if name == "index.html" {
				path = "/web/"
			}
			rec := ask(t, handler, "GET", path, nil)
			if rec.Code != 200 || rec.Body.String() != content {
				t.Errorf("status = %d, %d bytes; want 200, %d bytes", rec.Code, rec.Body.Len(), len(content))
			}
			if got, want := rec.Header().Get("Content-Type"), types[filepath.Ext(name)]; got != want || want == "" {
				t.Errorf("Content-Type = %q, want %q", got, want)
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-cache" {
				t.Errorf("Cache-Control = %q", got)
			}
			if got := rec.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q", got)
			}
		})
	}
}

func TestRevalidation(t *testing.T) {
	t.Parallel()
	handler := edge(t)
	for _, path := range []string{"/web/", "/web/assets/app.js"} {
		whole := ask(t, handler, "GET", path, nil)
		tag := whole.Header().Get("ETag")
		if !regexp.MustCompile(`^"[\w-]{22}"$`).MatchString(tag) {
			t.Fatalf("%s: ETag = %q, want a strong one", path, tag)
		}
		for _, tt := range []struct {
			name, method string
			ifNoneMatch  []string
			status       int
		}{
			{"nothing to compare with", "GET", nil, 200},
			{"the same", "GET", []string{tag}, 304},
			{"the same, after somebody compressed it", "GET", []string{"W/" + tag}, 304},
			{"one of several", "GET", []string{`"a", W/"b",` + tag}, 304},
			{"in the second of two lines", "GET", []string{`"a"`, tag}, 304},
			{"any", "GET", []string{"*"}, 304},
			{"another", "GET", []string{`"a"`}, 200},
			{"no tag at all", "GET", []string{"a, ,"}, 200},
			{"HEAD, the same", "HEAD", []string{tag}, 304},
			{"HEAD, another", "HEAD", []string{`"a"`}, 200},
		} {
			t.Run(path+": "+tt.name, func(t *testing.T) {
				t.Parallel()
				rec := ask(t, handler, tt.method, path, http.Header{"If-None-Match": tt.ifNoneMatch})
				if rec.Code != tt.status {
					t.Errorf("status = %d, want %d", rec.Code, tt.status)
				}
				if hasBody := rec.Body.Len() > 0; hasBody != (tt.status == 200 && tt.method == "GET") {
					t.Errorf("a body of %d bytes", rec.Body.Len())
				}
				// A browser keeps what it has under the headers of the 304.
				for _, name := range []string{"ETag", "Cache-Control", "Content-Security-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy"} {
					if got, want := rec.Header().Get(name), whole.Header().Get(name); got != want {
						t.Errorf("%s = %q, want %q", name, got, want)
					}
				}
				if tt.status == 200 && rec.Header().Get("Content-Length") != whole.Header().Get("Content-Length") {
					t.Errorf("Content-Length = %q", rec.Header().Get("Content-Length"))
				}
			})
		}
	}
}

func TestWhatIsNotServed(t *testing.T) {
	t.Parallel()
	handler := edge(t)
	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"an unknown file", "GET", "/web/assets/none.js", 404},
		{"an unknown file, HEAD", "HEAD", "/web/assets/none.js", 404},
		{"no file", "GET", "/web/assets/", 404},
		{"the page under another name", "GET", "/web/assets/index.html", 404},
		{"the directory", "GET", "/web/assets/assets", 404},
		{"a path", "GET", "/web/assets/assets/app.js", 404},
		{"the source beside it", "GET", "/web/assets/page.go", 404},
		{"other letters", "GET", "/web/assets/APP.JS", 404},
		{"a space at the end", "GET", "/web/assets/app.js%20", 404},
		{"a dot at the end", "GET", "/web/assets/app.js.", 404},
		{"a directory up", "GET", "/web/assets/../page.go", 400},
		{"a directory up, encoded", "GET", "/web/assets/..%2fpage.go", 400},
		{"a backslash", "GET", "/web/assets/..%5cpage.go", 400},
		{"a null", "GET", "/web/assets/app.js%00", 400},
		{"another method", "POST", "/web/assets/app.js", 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec := ask(t, handler, tt.method, tt.path, nil)
			if rec.Code != tt.status {
				t.Errorf("status = %d, want %d", rec.Code, tt.status)
			}
			if got := rec.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type = %q", got)
			}
			if rec.Header().Get("ETag") != "" || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("may be kept: %v", rec.Header())
			}
		})
	}
}

func TestTheAddressWithoutSlash(t *testing.T) {
	t.Parallel()
	rec := ask(t, edge(t), "GET", "/web", nil)
	if rec.Code != 308 || rec.Header().Get("Location") != "/web/" {
		t.Errorf("%d to %q, want 308 to /web/", rec.Code, rec.Header().Get("Location"))
	}
}

func TestThePolicy(t *testing.T) {
	t.Parallel()
	policies := ask(t, edge(t), "GET", "/web/", nil).Header().Values("Content-Security-Policy")
	if len(policies) != 1 {
		t.Fatalf("%d policies: %q", len(policies), policies)
	}
	directives := strings.Split(policies[0], "; ")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'", "form-action 'self'",
		"base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
	} {
		if !slices.Contains(directives, want) {
			t.Errorf("no %s in %q", want, directives)
		}
	}
	for _, bad := range []string{"unsafe-", "*", "data:", "blob:", "http:", "https:", "ws:"} {
		if strings.Contains(policies[0], bad) {
			t.Errorf("%s in %q", bad, policies[0])
		}
	}
}

func TestThePageHasNothingInline(t *testing.T) {
	t.Parallel()
	index := assets(t)["index.html"]
	for name, pattern := range map[string]string{
		"a script without src":           `(?i)<script(?:\s+(?:type|async|defer)(?:="[^"]*")?)*\s*>`,
		"a script with content":          `(?i)<script[^>]*>\s*[^<\s]`,
		"a style element":                `(?i)<style`,
		"a style attribute":              `(?i)\sstyle\s*=`,
		"an attribute of an event":       `(?i)\son[a-z]+\s*=`,
		"an address that is code":        `(?i)(?:javascript|data|vbscript):`,
		"an address of another host":     `(?i)(?:src|href|action)\s*=\s*"?(?:[a-z]+:)?//`,
		"an address that is not rooted":  `(?i)\s(?:src|href)="[^/#]`,
		"another base for all addresses": `(?i)<base`,
	} {
		if found := regexp.MustCompile(pattern).FindString(index); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}

func TestEverythingReferredToIsThere(t *testing.T) {
	t.Parallel()
	files := assets(t)
	handler := edge(t)
	modules := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?:src|href)="(/web/assets/[^"]+)"`).FindAllStringSubmatch(files["index.html"], -1) {
		modules[filepath.Base(match[1])] = true
		if rec := ask(t, handler, "GET", match[1], nil); rec.Code != 200 {
			t.Errorf("index.html refers to %s: %d", match[1], rec.Code)
		}
	}
	static := regexp.MustCompile(`(?m)^(?:import|export) (?:[\w\s{},*]+ from )?'([^']+)';`)
	dynamic := regexp.MustCompile(`\bimport\('([^']+)'\)`)
	for name, source := range own(t) {
		for _, match := range static.FindAllStringSubmatch(source, -1) {
			// Loaded with the page, all at once: one that is named nowhere would wait for whoever imports it.
			if imported := strings.TrimPrefix(match[1], "./"); files[imported] == "" || !modules[imported] {
				t.Errorf("%s imports %s, which has to be a file that index.html preloads", name, match[1])
			}
		}
		for _, match := range dynamic.FindAllStringSubmatch(source, -1) {
			if imported := strings.TrimPrefix(match[1], "./"); files[imported] == "" {
				t.Errorf("%s imports %s, which is not there", name, match[1])
			}
		}
		if !modules[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
	ids := regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(files["index.html"], -1)
	for name, source := range own(t) {
		for _, match := range regexp.MustCompile(`(?:byId|getElementById|copy)\('([^']+)'\)`).FindAllStringSubmatch(source, -1) {
			if !slices.ContainsFunc(ids, func(id []string) bool { return id[1] == match[1] }) {
				t.Errorf("%s looks for #%s, which is not in index.html", name, match[1])
			}
		}
	}
}

func TestTextNeverBecomesMarkupOrCode(t *testing.T) {
	t.Parallel()
	sinks := regexp.MustCompile(`\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|DOMParser|eval|Function|document\.write(?:ln)?|srcdoc)\b|\bset(?:Timeout|Interval)\(['"]`)
	for name, source := range own(t) {
		if found := sinks.FindString(source); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

func TestTheVendoredFileIsWhatTheReadmeSays(t *testing.T) {
	t.Parallel()
	source := assets(t)[vendored]
	if source == "" {
		t.Fatalf("%s is not there", vendored)
	}
	sum := sha256.Sum256([]byte(source))
	readme := read(t, "README.md")
	for _, want := range []string{vendored, "`" + hex.EncodeToString(sum[:]) + "`"} {
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not say %s", want)
		}
	}
	if found := regexp.MustCompile(`(?m)^\s*import\b[^(]|\brequire\(['"]|\bimport\(`).FindString(source); found != "" {
		t.Errorf("%s is not all of it: %s", vendored, found)
	}
	if licence := assets(t)["centrifuge-LICENSE.txt"]; !strings.Contains(licence, "Centrifugal Labs") || !strings.Contains(licence, vendored) {
		t.Error("its licence is not there")
	}
}

// own is the modules that are ours, by name.
func own(tb testing.TB) map[string]string {
	tb.Helper()
	modules := map[string]string{}
	for name, source := range assets(tb) {
		if filepath.Ext(name) == ".js" {
			modules[name] = source
		}
	}
	if len(modules) == 0 {
		tb.Fatal("no modules")
	}
	return modules
}

func assets(tb testing.TB) map[string]string {
	tb.Helper()
	names, err := filepath.Glob("assets/*")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no assets: %v", err)
	}
	files := map[string]string{}
	for _, name := range names {
		files[filepath.Base(name)] = read(tb, name)
	}
	return files
}

func read(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}
