package session

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bff.internal/shared/secret"
)

// FuzzLocalPath looks for a returnTo that leaves the host, as a browser resolves it: with backslashes as slashes, and
// without tabs and line ends.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/there?q=1#x", "//evil.test", `/\evil.test`, "/%5cevil.test", "/a/..//evil.test", "/%2e%2e//evil.test", "/\t/evil.test",
		"https://evil.test", "/@evil.test", "/;/evil.test", "/%", "/?", "/#", "/?//evil.test", "/#//evil.test", "/a:b", "/:80", "/%252f%252fevil.test",
	} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "app.test", Path: "/web/callback"}
	f.Fuzz(func(t *testing.T, raw string) {
		local, err := localPath(raw)
		if err != nil {
			return
		}
		seen := strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "").Replace(local)
		target, err := base.Parse(seen)
		if err != nil || target.Host != base.Host || target.Scheme != base.Scheme || target.User != nil {
			t.Errorf("%q leads to %q: %v", raw, target, err)
		}
		if !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") || strings.ContainsAny(local, "\r\n\t \\") {
			t.Errorf("%q is written as %q", raw, local)
		}
		if again, err := localPath(local); err != nil || again != local {
			t.Errorf("%q is written as %q, and that as %q: %v", raw, local, again, err)
		}
	})
}

// FuzzState looks for a state that nobody sealed and that opens.
func FuzzState(f *testing.F) {
	keys, err := parseKeys(secret.New("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="), loginKeys)
	if err != nil {
		f.Fatal(err)
	}
	named := string(keys.seal(nil, "something else"))
	for _, seed := range []string{"", "A", "AAAA\r\n", strings.Repeat("A", 100), base64.RawURLEncoding.EncodeToString([]byte(named))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, state string) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/callback", http.NoBody)
		if a, err := keys.openState(request, state); err == nil {
			t.Errorf("%q opens as %+v", state, a)
		}
	})
}
