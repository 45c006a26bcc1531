// Package strict reads requests without forgiving anything, so that a client's mistake shows at once.
package strict

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bff.internal/mockservices/internal/answer"
)

// MaxBody is how many bytes of a body are read; more is a 413.
const MaxBody = 64 << 10

// Body reads the whole body, which must be of one of mediaTypes; with none given, its type is not looked at.
// The error is an [answer.Problem]: 413 or 415, or 400 when the body breaks off.
func Body(r *http.Request, mediaTypes ...string) ([]byte, error) {
	if len(mediaTypes) > 0 {
		mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || !slices.Contains(mediaTypes, mediaType) {
			return nil, answer.NewProblem(http.StatusUnsupportedMediaType, "unsupported_media_type",
				"the body must be "+strings.Join(mediaTypes, " or "))
		}
	}
	content, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, answer.NewProblem(http.StatusBadRequest, "bad_body", "the body broke off")
	}
	if len(content) > MaxBody {
		return nil, answer.NewProblem(http.StatusRequestEntityTooLarge, "body_too_large",
			fmt.Sprintf("the body may have %d bytes", MaxBody))
	}
	return content, nil
}

// JSON decodes content, one JSON object, into target, a pointer to a struct. Members that are unknown, doubled or
// written in another case are refused, as is text after the object. The error is a 400 [answer.Problem] naming the
// member.
func JSON(content []byte, target any) error {
	if jsontext.Value(content).Kind() != jsontext.KindBeginObject {
		return answer.NewProblem(http.StatusBadRequest, "bad_body", "the body is no JSON object")
	}
	err := json.Unmarshal(content, target, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return Violated(http.StatusBadRequest, string(semantic.JSONPointer), "is unknown")
	case errors.As(err, &semantic):
		return Violated(http.StatusBadRequest, string(semantic.JSONPointer), "cannot be a "+kind(semantic.JSONKind))
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		return Violated(http.StatusBadRequest, string(syntactic.JSONPointer), "is there twice")
	default:
		return answer.NewProblem(http.StatusBadRequest, "bad_body", "the body is not one JSON object")
	}
}

// Violated is the problem of a body whose member at pointer is wrong; detail goes on from the member's name.
func Violated(status int, pointer, detail string) *answer.Problem {
	name := strings.TrimPrefix(pointer, "/")
	if name == "" {
		name = "the body"
	}
	problem := answer.NewProblem(status, "bad_body", name+" "+detail)
	problem.Errors = []answer.Violation{{Detail: detail, Pointer: pointer}}
	return problem
}

func kind(k jsontext.Kind) string {
	switch k {
	case '{':
		return "JSON object"
	case '[':
		return "JSON array"
	default:
		return "JSON " + k.String()
	}
}

// Query is the request's query, which may hold each of the allowed parameters once and nothing else.
// The error is a 400 [answer.Problem] naming the parameter.
func Query(r *http.Request, allowed ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, BadQuery("the query is malformed")
	}
	for name, values := range query {
		if !slices.Contains(allowed, name) {
			return nil, BadQuery(fmt.Sprintf("%q is no parameter of this resource", name))
		}
		if len(values) > 1 {
			return nil, BadQuery(name + " is there twice")
		}
	}
	return query, nil
}

// BadQuery is the problem of a query that does not make sense.
func BadQuery(detail string) *answer.Problem {
	return answer.NewProblem(http.StatusBadRequest, "bad_query", detail)
}
