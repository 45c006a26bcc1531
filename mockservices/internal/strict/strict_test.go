package strict_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/strict"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	type target struct {
		Name  string `json:"name"`
		Lines []struct {
			Quantity int `json:"quantity"`
		} `json:"lines"`
	}
	tests := []struct {
		name   string
		body   string
		detail string // "" when the body is good
	}{
		{"what is expected", `{"name":"a","lines":[{"quantity":1}]}`, ""},
		{"with space around", " {\"name\":\"a\"}\n", ""},
		{"an unknown member", `{"nom":"a"}`, "nom is unknown"},
		{"a member in another case", `{"NAME":"a"}`, "NAME is unknown"},
		{"a member twice", `{"name":"a","name":"b"}`, "name is there twice"},
		{"another type, deep inside", `{"lines":[{"quantity":"1"}]}`, "lines/0/quantity cannot be a JSON string"},
		{"an object for a string", `{"name":{}}`, "name cannot be a JSON object"},
		{"an array for an object", `[]`, "the body is no JSON object"},
		{"null", `null`, "the body is no JSON object"},
		{"nothing", ``, "the body is no JSON object"},
		{"half of it", `{"name":`, "the body is not one JSON object"},
		{"one and a half", `{"name":"a"}{`, "the body is not one JSON object"},
		{"text that is not UTF-8", "{\"name\":\"\xff\"}", "the body is not one JSON object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := strict.JSON([]byte(test.body), new(target))
			if test.detail == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			var problem *answer.Problem
			if test.detail != "" && (!errors.As(err, &problem) || problem.Detail != test.detail || problem.Status != 400) {
				t.Errorf("got %v, want %q", err, test.detail)
			}
		})
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		mediaType string
		body      string
		accepted  []string
		status    int // 0 when the body is good
	}{
		{"the right type", "application/json", "{}", []string{"application/json"}, 0},
		{"with a parameter", "Application/JSON; charset=utf-8", "{}", []string{"application/json"}, 0},
		{"any type, if none is asked for", "", "{}", nil, 0},
		{"another type", "text/plain", "{}", []string{"application/json"}, http.StatusUnsupportedMediaType},
		{"no type", "", "{}", []string{"application/json"}, http.StatusUnsupportedMediaType},
		{"as much as may be", "", strings.Repeat(" ", strict.MaxBody), nil, 0},
		{"one byte more", "", strings.Repeat(" ", strict.MaxBody+1), nil, http.StatusRequestEntityTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.mediaType)
			content, err := strict.Body(r, test.accepted...)
			if test.status == 0 && (err != nil || string(content) != test.body) {
				t.Errorf("got %d bytes, %v", len(content), err)
			}
			var problem *answer.Problem
			if test.status != 0 && (!errors.As(err, &problem) || problem.Status != test.status) {
				t.Errorf("got %v, want %d", err, test.status)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		query  string
		detail string // "" when the query is good
	}{
		{"what is allowed", "user=me&limit=2", ""},
		{"nothing", "", ""},
		{"something else", "user=me&sort=asc", `"sort" is no parameter of this resource`},
		{"one twice", "user=me&user=you", "user is there twice"},
		{"a broken escape", "user=%zz", "the query is malformed"},
		{"a semicolon", "user=me;limit=2", "the query is malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+test.query, http.NoBody)
			_, err := strict.Query(r, "user", "limit")
			got := ""
			if problem, ok := errors.AsType[*answer.Problem](err); ok {
				got = problem.Detail
			}
			if diff := cmp.Diff(test.detail, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
