package web

import (
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// smallest is the size of a body, in bytes, from which on it is compressed: one packet carries what is smaller anyway.
const smallest = 256

// mostEncoders may be at work at a time, of about half a MiB each. One that has begun an answer stays with it until the
// reader has taken it, so whoever reads slowly must not keep more than that; to others, answers go as they are.
const mostEncoders = 32

// coder compresses answers.
type coder struct {
	wrap  func(http.Handler) http.HandlerFunc // pools the encoders
	taken chan struct{}                       // one for each encoder at work
}

func newCoder() *coder {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(smallest),
		gzhttp.CompressionLevel(gzip.BestSpeed), // zstd has its fastest level by default
		gzhttp.ContentTypeFilter(compressible),
		gzhttp.SetContentType(false),
	)
	if err != nil {
		panic(err)
	}
	return &coder{wrap: wrap, taken: make(chan struct{}, mostEncoders)}
}

// compressible lists what is worth it. An event stream is text too, but has to arrive event by event.
func compressible(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(mediaType)) {
	case "application/json", "application/problem+json", "application/yaml",
		"text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml":
		return true
	default:
		return false
	}
}

//nolint:gochecknoglobals // read-only, and shared by every answer
var byCoding = []string{"Accept-Encoding"}

// route lets echo answer, in zstd or gzip if the caller names one of them in Accept-Encoding (RFC 9110, 12.5.3). Whoever
// says "*" gets the answer as it is, which that accepts too.
func (s *Server) route(w *recorder, r *http.Request) {
	accepted := r.Header["Accept-Encoding"]
	switch {
	case len(r.Header["Upgrade"]) > 0: // the connection may be taken over
		s.echo.ServeHTTP(w, r)
	case len(accepted) == 0:
		w.Header()["Vary"] = byCoding
		s.echo.ServeHTTP(w, r)
	default:
		// The coder reads one line, and never codes what answers HEAD, which has to say what GET would say.
		asked := r.WithContext(r.Context())
		asked.Method, asked.Header = http.MethodGet, http.Header{"Accept-Encoding": {strings.Join(accepted, ",")}}
		n := &negotiated{answer: w, coder: s.coder, head: r.Method == http.MethodHead}
		defer n.end()
		s.coder.wrap(http.HandlerFunc(func(encoding http.ResponseWriter, _ *http.Request) {
			if _, ok := encoding.(*gzhttp.GzipResponseWriter); !ok { // there is no coding that both know
				s.echo.ServeHTTP(w, r)
				return
			}
			n.ResponseWriter = encoding
			s.echo.ServeHTTP(n, r)
		})).ServeHTTP(w, asked)
	}
}

// negotiated is an answer to a caller who accepts a coding.
type negotiated struct {
	http.ResponseWriter // that of the coder, but for an answer that goes as it is

	answer *recorder // behind the coder
	coder  *coder
	head   bool
	taken  bool // an encoder, perhaps
}

// begin is for the first that a handler says. The coder holds that back, but the answer has begun: no problem may follow.
func (n *negotiated) begin(status int) {
	n.answer.status = status
	header := n.Header()
	if tag := header.Get("Etag"); strings.HasPrefix(tag, `"`) {
		header["Etag"] = []string{"W/" + tag} // a strong one would be of these very bytes
	}
	if !compressible(header.Get("Content-Type")) || !n.take() {
		n.ResponseWriter = n.answer
		return
	}
	if n.head {
		delete(header, "Content-Length") // of what GET would answer without a coding
	}
}

// take reports whether there is an encoder to be had.
func (n *negotiated) take() bool {
	select {
	case n.coder.taken <- struct{}{}:
		n.taken = true
	default:
	}
	return n.taken
}

// end gives the encoder back.
func (n *negotiated) end() {
	if n.taken {
		<-n.coder.taken
	}
}

// WriteHeader begins the answer, unless the status is an informational one.
func (n *negotiated) WriteHeader(status int) {
	if n.answer.status == 0 && status >= http.StatusOK {
		n.begin(status)
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write begins the answer if need be.
func (n *negotiated) Write(p []byte) (int, error) {
	if n.answer.status == 0 {
		n.begin(http.StatusOK)
	}
	return n.ResponseWriter.Write(p)
}

// FlushError begins the answer if need be, and sends it as far as it is written. The coder has nothing to send before the body.
func (n *negotiated) FlushError() error {
	if n.answer.status == 0 {
		n.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(n.ResponseWriter).Flush()
}

// Unwrap returns the writer below.
func (n *negotiated) Unwrap() http.ResponseWriter { return n.ResponseWriter }
