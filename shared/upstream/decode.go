package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is the body of an answer that receive has read, and the value that it held. There is nothing left to read.
type answer struct {
	io.ReadCloser

	content []byte // nil once it is decoded
	size    int    // of the content
	value   any
}

// decoding gives an answer its value, once for everybody who gets it.
type decoding struct {
	next    http.RoundTripper
	service string
}

func (l decoding) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, ok := resp.Body.(*answer)
	if !ok {
		return resp, nil
	}
	if body.value, err = callOf(req).decode(body.content); err != nil {
		return nil, &Error{Service: l.service, Kind: BadAnswer, Status: resp.StatusCode, Err: err, begun: true}
	}
	body.size, body.content = len(body.content), nil
	return resp, nil
}

// decode reads a T out of an answer.
func decode[T any](content []byte) (any, error) {
	var value T
	if err := withinLimits(content); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &value); err != nil {
		return nil, withoutContent(err)
	}
	if v, ok := any(&value).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// valueOf returns the value of an answer, unless its reader has no time for it any more: decoding takes time too.
func valueOf[T any](ctx context.Context, c *Client, resp *http.Response) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, wireError(ctx, c.service, err)
	}
	body, _ := resp.Body.(*answer)
	return body.value.(T), nil //nolint:forcetypeassert // decode made it
}

// withoutContent says where a value is wrong and not what it is, for that goes to the log.
func withoutContent(err error) error {
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("JSON %v at %.64q is no %v", wrong.JSONKind, wrong.JSONPointer, wrong.GoType)
	}
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("no valid JSON at byte %d", wrong.ByteOffset)
	}
	return errors.New("no valid JSON")
}

// isJSON does not look at parameters: the only one that could matter is charset, and what is no UTF-8 is no JSON.
func isJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.TrimSpace(mediaType)
	const suffix = "+json"
	return strings.EqualFold(mediaType, "application/json") ||
		len(mediaType) > len(suffix) && strings.EqualFold(mediaType[len(mediaType)-len(suffix):], suffix)
}
