package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// receive reads the whole answer, up to its limit, and says what went wrong on the wire.
type receive struct {
	next    http.RoundTripper
	service string
	limit   int64
}

func (l receive) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, wireError(req.Context(), l.service, err)
	}
	body, err := l.read(resp)
	if err != nil {
		err := wireError(req.Context(), l.service, err)
		err.Status = resp.StatusCode
		return nil, err
	}
	resp.Body = body
	return resp, nil
}

var errTooLarge = errors.New("the answer is larger than we take")

// read ends the exchange: an answer that is not read to its end costs its connection.
func (l receive) read(resp *http.Response) (*buffered, error) {
	defer resp.Body.Close()
	if resp.ContentLength > l.limit {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, resp.ContentLength)
	}
	var content []byte
	var err error
	if resp.ContentLength >= 0 {
		content = make([]byte, resp.ContentLength)
		_, err = io.ReadFull(resp.Body, content)
	} else {
		content, err = io.ReadAll(io.LimitReader(resp.Body, l.limit+1))
	}
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > l.limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, l.limit)
	}
	body := &buffered{content: content}
	body.Reset(content)
	return body, nil
}

// buffered is a body that has already been read.
type buffered struct {
	bytes.Reader

	content []byte
}

// Close does nothing: the exchange is over.
func (*buffered) Close() error { return nil }

// received returns the body that receive has read.
func received(resp *http.Response) []byte {
	if body, ok := resp.Body.(*buffered); ok {
		return body.content
	}
	return nil
}

// wireError says what an exchange failed of. The context is asked first: a connection that dies because
// we gave up looks like any other.
func wireError(ctx context.Context, service string, err error) *Error {
	e := &Error{Service: service, Kind: BadAnswer, Err: err}
	switch cause := ctx.Err(); {
	case errors.Is(cause, context.DeadlineExceeded):
		e.Kind, e.Err = Timeout, cause
	case cause != nil:
		e.Kind, e.Err = Cancelled, cause
	case notConnected(err):
		e.Kind = Refused
	case !Quotable(err):
		e.Err = errNotHTTP
	}
	return e
}

var errNotHTTP = errors.New("the connection broke, or what came was no HTTP")

// Quotable reports whether the text of an exchange's error is the system's or ours. net/http quotes what it could not
// parse, and what somebody sent is not for the log. It is about the error of a transport, without the url.Error that
// http.Client puts around it.
func Quotable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	return network || certificate || errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTooLarge)
}

func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
