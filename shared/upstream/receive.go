package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// receive reads the whole answer, up to its limit, and says what went wrong on the wire. Of an answer without a value
// it takes status and header; its body is never a reason to fail, to wait or to remember.
type receive struct {
	next    http.RoundTripper
	service string
	limit   int64
	// repeats is told how often net/http would send a request again.
	repeats repeats
}

func (l receive) RoundTrip(req *http.Request) (*http.Response, error) {
	watched, e := watch(req, l.repeats)
	defer e.end()
	resp, err := l.next.RoundTrip(watched)
	if err != nil {
		err := wireError(req.Context(), l.service, e.why(err))
		err.begun = e.begun.Load()
		return nil, err
	}
	if !hasValue(resp.StatusCode) {
		discard(resp)
		return resp, nil
	}
	body := resp.Body
	defer body.Close() // ends the exchange: an answer that is not read to its end costs its connection
	if err := l.judge(resp); err != nil {
		return nil, &Error{Service: l.service, Kind: BadAnswer, Status: resp.StatusCode, Err: err, begun: true}
	}
	content, err := l.read(body, resp.ContentLength)
	if err != nil {
		e := wireError(req.Context(), l.service, err)
		e.Status, e.begun = resp.StatusCode, true
		return nil, e
	}
	resp.Body = &answer{ReadCloser: http.NoBody, content: content}
	return resp, nil
}

// hasValue reports whether an answer of that status is read: one that holds what was asked for.
func hasValue(status int) bool { return status == http.StatusOK || status == http.StatusCreated }

var (
	errTooLarge = errors.New("the answer is larger than we take")
	errCoded    = errors.New("the answer has a content coding that nobody asked for")
)

// judge refuses what the header already tells to be no use.
func (l receive) judge(resp *http.Response) error {
	contentType := resp.Header.Get("Content-Type")
	switch {
	case slices.ContainsFunc(resp.Header["Content-Encoding"], isCoded):
		return errCoded
	case !isJSON(contentType):
		return fmt.Errorf("content type %.64q is not JSON", contentType)
	case resp.ContentLength > l.limit:
		return fmt.Errorf("%w: %d bytes", errTooLarge, resp.ContentLength)
	default:
		return nil
	}
}

func isCoded(coding string) bool { return !strings.EqualFold(coding, "identity") }

// Room that is made before anything has come. More is made when it is full: what a service announces and does not send
// costs nothing.
const (
	roomForAnnounced = 16 << 10
	roomForUnknown   = 2 << 10
)

// read reads as much as was announced, or to the end when size is negative.
func (l receive) read(body io.Reader, size int64) ([]byte, error) {
	room := int64(roomForUnknown)
	if size >= 0 {
		room = min(size, roomForAnnounced)
	}
	content := make([]byte, 0, room)
	for int64(len(content)) != size {
		if len(content) == cap(content) {
			content = slices.Grow(content, len(content))
		}
		n, err := body.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch length := int64(len(content)); {
		case length > l.limit:
			return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, l.limit)
		case err == nil, length == size:
		case err != io.EOF:
			return nil, err
		case size >= 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return content, nil
		}
	}
	return content, nil
}

// A connection is worth reading a small rest for, and waiting a little until that is there.
const (
	drainUpTo   = 4 << 10
	drainWithin = 20 * time.Millisecond
)

// discard ends an exchange whose body nobody wants.
func discard(resp *http.Response) {
	body := resp.Body
	resp.Body = http.NoBody
	defer body.Close()
	if size := resp.ContentLength; size != 0 && size <= drainUpTo {
		timer := time.AfterFunc(drainWithin, func() { body.Close() })
		defer timer.Stop()
		_, _ = io.Copy(io.Discard, io.LimitReader(body, drainUpTo))
	}
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
	return network || certificate || errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTooLarge) || errors.Is(err, errRepeated)
}

func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
