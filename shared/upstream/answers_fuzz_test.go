package upstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"bff.internal/shared/upstream"
)

// FuzzExchange looks for bytes of a service that make a call panic, hang, cost memory, or end with neither a value nor
// an *Error. The service hangs up after them, so nothing but the call itself can take time.
func FuzzExchange(f *testing.F) {
	for _, tt := range answersOnTheWire {
		if tt.answer.again == "" && !tt.answer.stays {
			f.Add([]byte(tt.answer.first))
		}
	}
	for _, seed := range []string{sized, chunked + lastChunk + "T: 1\r\n\r\n", hint + sized, "HTTP/1.1 503 Away\r\nRetry-After: 1\r\nContent-Length: 1\r\n\r\n."} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) > 64<<10 {
			t.Skip("more is no news")
		}
		w := newWire(rawAnswer{first: string(answer)})
		defer w.end()
		client := w.client(t)
		const hung = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), hung)
		defer cancel()
		var value thing
		var err error
		if got := allocated(func() { value, err = get(ctx, client) }); got > 8<<20 {
			t.Errorf("%d bytes were allocated", got)
		}
		e, _ := errors.AsType[*upstream.Error](err)
		switch {
		case err == nil && value.ID != "":
		case e == nil || value != (thing{}):
			t.Errorf("Get = %+v, %v", value, err)
		case e.Kind != upstream.BadAnswer && e.Kind != upstream.Denied && e.Kind != upstream.Shed:
			t.Errorf("error = %v of a service that answered", err)
		}
	})
}
