package identity

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

//go:embed pages
var files embed.FS

func parsePages() (*template.Template, error) {
	pages, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return pages, nil
}

// style is the style sheet of all pages.
func style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, files, "pages/style.css")
}

// page answers a page, whose form leads to the given URI in the end; empty for nowhere else.
func (p *Provider) page(w http.ResponseWriter, status int, name string, data any, leadsTo string) {
	var content bytes.Buffer
	if err := p.pages.ExecuteTemplate(&content, name, data); err != nil {
		panic("identity: " + err.Error()) // a mistake in the template
	}
	header := w.Header()
	header.Set("Content-Security-Policy", contentPolicy(leadsTo))
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(content.Len()))
	w.WriteHeader(status)
	// A browser that has gone needs no page.
	_, _ = w.Write(content.Bytes())
}

// contentPolicy allows a form of ours and no more. Chromium holds form-action against every redirect that follows the
// form, so where it leads, a URI of the client table, is in there as well.
func contentPolicy(leadsTo string) string {
	const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	uri, err := url.Parse(leadsTo)
	switch {
	case leadsTo == "" || err != nil:
		return policy
	case strings.Contains(uri.Hostname(), ":"):
		return policy + " " + uri.Scheme + ":" // policies know no IPv6 addresses
	default:
		return policy + " " + uri.Scheme + "://" + uri.Host
	}
}

// message is a page that says something and asks nothing.
type message struct {
	Title string
	Text  string
}

func (p *Provider) message(w http.ResponseWriter, status int, text message) {
	p.page(w, status, "message.html", text, "")
}

// refuse answers a request that makes no sense and names nobody whom that could be told.
func (p *Provider) refuse(w http.ResponseWriter, err error) {
	p.message(w, http.StatusBadRequest, message{
		Title: "This link does not work",
		Text:  "The application that sent you here made a mistake: " + err.Error() + ".",
	})
}
