package upstream

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

//go:embed page.html
var pageText string

//nolint:gochecknoglobals // read-only
var page = template.Must(template.New("upstreams").Funcs(template.FuncMap{"ago": ago}).Parse(pageText))

// ServeHTTP answers with Status: browsers get a page that refreshes itself, and everybody else gets JSON. It is for the
// admin listener alone.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	contentType := "application/json"
	var err error
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		contentType = "text/html; charset=utf-8"
		err = page.Execute(&body, struct {
			Status

			Still bool // the page does not refresh itself
		}{s.Status(), r.URL.Query().Has("still")})
	} else {
		err = json.MarshalWrite(&body, s.Status(), jsontext.WithIndent("  "))
	}
	if err != nil {
		s.telemetry.Log.ErrorContext(r.Context(), "upstreams not shown", "error", err.Error())
		http.Error(w, "the status could not be written", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(body.Bytes())
}
