// Package page is the web page of bff-web: a static shell, the same for everybody, that asks /web/session who is
// there. It is plain HTML, CSS and ES modules, served as they lie in assets.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	indexName = "index.html"

	// Everything comes from here, and nothing of it is inline. Trusted types make every way in which text could
	// become markup or code throw; the page has no policy that could let it through.
	contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	permissionsPolicy = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
)

//go:embed assets
var embedded embed.FS

//nolint:gochecknoglobals // read-only, and hashed once
var files = load()

// file is one file of the page, with all that is said about it.
type file struct {
	content                     []byte
	contentType, length, entity string
}

// Index answers with the page.
func Index(c echo.Context) error {
	header := c.Response().Header()
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", permissionsPolicy)
	return files[indexName].serve(c)
}

// Asset answers with the file that the parameter "file" names. The page itself is none.
func Asset(c echo.Context) error {
	name := c.Param("file")
	asset, ok := files[name]
	if !ok || name == indexName {
		return echo.ErrNotFound
	}
	return asset.serve(c)
}

// Redirect sends to the page, whose address ends with a slash.
func Redirect(c echo.Context) error {
	return c.Redirect(http.StatusPermanentRedirect, "/web/")
}

// serve answers GET and HEAD. A 304 has the headers of the 200: a browser keeps the page under the policy that the
// last answer came with.
func (f file) serve(c echo.Context) error {
	header := c.Response().Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f.entity)
	if f.matches(c.Request().Header.Values("If-None-Match")) {
		return c.NoContent(http.StatusNotModified)
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", f.length)
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method != http.MethodHead {
		_, _ = c.Response().Write(f.content) // the client may leave; there is nobody to tell
	}
	return nil
}

// matches compares weakly (RFC 9110, 13.1.2): whoever compressed an answer on its way made its tag a weak one.
func (f file) matches(ifNoneMatch []string) bool {
	for tag := range strings.SplitSeq(strings.Join(ifNoneMatch, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == f.entity {
			return true
		}
	}
	return false
}

func load() map[string]file {
	const directory = "assets"
	entries, err := embedded.ReadDir(directory)
	if err != nil {
		panic(err)
	}
	loaded := make(map[string]file, len(entries))
	for _, entry := range entries {
		content, err := embedded.ReadFile(path.Join(directory, entry.Name()))
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		loaded[entry.Name()] = file{
			content:     content,
			contentType: contentType(entry.Name()),
			length:      strconv.Itoa(len(content)),
			entity:      `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
		}
	}
	return loaded
}

// contentType does not ask the machine, whose list of types may differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		panic("page: " + name + " has a type that is not served")
	}
}
