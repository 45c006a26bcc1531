package standin

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"bff.internal/mockservices/internal/answer"
)

// Methods is what may be done with one resource, by HTTP method. GET also serves HEAD.
type Methods map[string]http.HandlerFunc

// Table is the resources of a stand-in, by path pattern of [http.ServeMux] without method or host.
type Table map[string]Methods

// Handler serves the table. What is not in it is a problem: 404, or 405 with Allow.
// A path that is not in its shortest form is a 404 as well, never a redirect.
func (t Table) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, methods := range t {
		mux.Handle(pattern, methods)
	}
	mux.HandleFunc("/", notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if escaped := r.URL.EscapedPath(); path.Clean(escaped) != escaped {
			notFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ServeHTTP calls the handler of the request's method, or answers 405.
func (m Methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if handler, ok := m[method]; ok {
		handler(w, r)
		return
	}
	problem := answer.NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", "this resource does not know "+r.Method)
	problem.Header = http.Header{"Allow": {strings.Join(m.allowed(), ", ")}}
	answer.Error(w, problem)
}

func (m Methods) allowed() []string {
	methods := slices.Collect(maps.Keys(m))
	if _, ok := m[http.MethodGet]; ok {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return methods
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	answer.Error(w, answer.NewProblem(http.StatusNotFound, "not_found", "there is no such resource"))
}
