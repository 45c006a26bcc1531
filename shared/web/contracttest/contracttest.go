// Package contracttest holds a BFF to its OpenAPI document: the routes and the answers.
package contracttest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/problem"
	"bff.internal/shared/web"
)

// Contract is a parsed document.
type Contract struct {
	document *openapi3.T
	router   routers.Router
}

// Load parses an OpenAPI document, and fails the test if it is none.
func Load(tb testing.TB, document []byte) *Contract {
	tb.Helper()
	readPages()
	parsed, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		tb.Fatal(err)
	}
	if err := parsed.Validate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	parsed.Servers = nil // answers are matched by their path, wherever they come from
	router, err := gorillamux.NewRouter(parsed)
	if err != nil {
		tb.Fatal(err)
	}
	return &Contract{document: parsed, router: router}
}

// readPages lets what a page consists of be checked as text; kin-openapi keeps its readers for the whole process.
//
//nolint:gochecknoglobals // see above
var readPages = sync.OnceFunc(func() {
	for _, contentType := range []string{"text/html", "text/css", "text/javascript", "image/svg+xml"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.FileBodyDecoder)
	}
})

// CheckRoutes fails the test unless the BFF, which is a *web.Server, serves exactly the operations of the
// document. HEAD goes with GET and is not written down.
func (c *Contract) CheckRoutes(tb testing.TB, bff http.Handler) {
	tb.Helper()
	var written, served []string
	for path, item := range c.document.Paths.Map() {
		for method := range item.Operations() {
			written = append(written, method+" "+path)
		}
	}
	for _, route := range bff.(*web.Server).Routes() { //nolint:forcetypeassert // a panic is a failure like any other
		if route.Method != http.MethodHead {
			served = append(served, route.Method+" "+parameters(route.Path))
		}
	}
	slices.Sort(written)
	slices.Sort(served)
	if diff := cmp.Diff(written, served); diff != "" {
		tb.Errorf("routes (-written in the contract +served):\n%s", diff)
	}
}

// parameters turns /orders/:id into /orders/{id}.
func parameters(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// CheckAnswer fails the test unless the document allows the answer to the request. What the document
// does not describe (an unknown path, an unknown method) has to be a problem.
func (c *Contract) CheckAnswer(tb testing.TB, req *http.Request, rec *httptest.ResponseRecorder) {
	tb.Helper()
	if req.Method == http.MethodHead {
		return // net/http drops the body behind the handler
	}
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		if rec.Code < http.StatusBadRequest || rec.Header().Get("Content-Type") != problem.ContentType {
			tb.Errorf("%s %s is not in the contract, and yet: %d %s", req.Method, req.URL.Path, rec.Code, rec.Body)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 rec.Code,
		Header:                 rec.Header(),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(bytes.Clone(rec.Body.Bytes()))
	if err := openapi3filter.ValidateResponse(tb.Context(), input); err != nil {
		tb.Errorf("%s %s answered %d, which the contract does not allow: %v\n%s", req.Method, req.URL.Path, rec.Code, err, rec.Body)
	}
}
