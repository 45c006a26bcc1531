package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
)

// Write is a change that a service is asked for.
type Write struct {
	// Method is POST, PUT, PATCH or DELETE.
	Method string
	Target Target
	// Body is sent as JSON; nil sends none.
	Body any
	// IdempotencyKey tells the service that two requests are one and the same, up to 255 printable ASCII characters but
	// quotes and backslashes. Only a write with a key is ever tried a second time.
	IdempotencyKey string
}

var (
	errKey  = errors.New("an Idempotency-Key has 1 to 255 printable characters, without quotes and backslashes")
	errBody = errors.New("the body of a write cannot be put into JSON")
)

// Send asks for a change, on behalf of whoever the context's Credentials name, and returns the value of a 200 or 201, or
// nothing at a 204. Every error is an *Error: one of Kind Rejected says that the service meant no, and after any other
// but Denied, Refused, Shed and BreakerOpen nobody knows whether the change was made.
func Send[T any](ctx context.Context, c *Client, w Write) (T, error) {
	var zero T
	req, err := c.write(&call{Context: ctx, repeatable: w.IdempotencyKey != "", decode: decode[T], as: reflect.TypeFor[T]()}, w)
	if err != nil {
		return zero, err
	}
	resp, err := c.layers.RoundTrip(req)
	if err != nil {
		return zero, c.wrap(ctx, err)
	}
	switch resp.StatusCode {
	case http.StatusNoContent:
		return zero, nil
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity:
		return zero, c.fail(Rejected, resp.StatusCode, nil)
	}
	if err := c.check(ctx, resp, http.StatusOK, http.StatusCreated); err != nil {
		return zero, err
	}
	return valueOf[T](ctx, c, resp)
}

// write makes the request of a write, whose body every attempt can have anew.
func (c *Client) write(ctx *call, w Write) (*http.Request, error) {
	req, err := c.request(ctx, w.Method, w.Target)
	if err != nil {
		return nil, err
	}
	if w.IdempotencyKey != "" {
		if !isIdempotencyKey(w.IdempotencyKey) {
			return nil, c.fail(Rejected, http.StatusUnprocessableEntity, errKey)
		}
		req.Header["Idempotency-Key"] = []string{`"` + w.IdempotencyKey + `"`}
	}
	var content []byte
	if w.Body != nil {
		if content, err = json.Marshal(w.Body); err != nil {
			return nil, c.fail(BadAnswer, 0, fmt.Errorf("%w: %w", errBody, withoutContent(err)))
		}
		req.Header["Content-Type"] = acceptJSON
	}
	if len(content) == 0 && w.IdempotencyKey == "" {
		return req, nil
	}
	req.ContentLength = int64(len(content))
	// Even of nothing: net/http repeats a request with a key on its own account unless it has a body that it cannot rewind.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return req, nil
}

func isIdempotencyKey(key string) bool {
	const longest = 255
	return len(key) <= longest && !strings.ContainsFunc(key, func(c rune) bool {
		return c < ' ' || c > '~' || c == '"' || c == '\\'
	})
}
