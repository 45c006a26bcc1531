package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// answerWithin is far above what any answer takes.
const answerWithin = 10 * time.Second

// client is one keep-alive connection. It speaks as much HTTP as the aggregators' answers need, and takes little of
// the CPU that it shares with them.
type client struct {
	conn    net.Conn
	answers *bufio.Reader
	request []byte
}

// connect returns a client that sends the same request again and again. The caller closes its connection.
func connect(ctx context.Context, addr string, request []byte) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, answers: bufio.NewReaderSize(conn, 64<<10), request: request}, nil
}

// newRequest is a request for the dashboard, as it goes over the wire.
func newRequest(addr, token string) []byte {
	return fmt.Appendf(nil, "GET /mobile/dashboard HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n\r\n", addr, token)
}

// ask sends the request and returns the body of the answer, which is good until the next call. Any status but 200 is an
// error.
func (c *client) ask() ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return nil, err
	}
	body, status, err := readAnswer(c.answers)
	if err != nil {
		return nil, err
	}
	if status != "200" {
		return nil, fmt.Errorf("answered %s: %s", status, body)
	}
	return body, nil
}

// readAnswer reads an answer that has a Content-Length. The body is good until the next read.
func readAnswer(r *bufio.Reader) (body []byte, status string, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, "", err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || len(rest) < len("200") {
		return nil, "", fmt.Errorf("no HTTP answer: %q", line)
	}
	status = string(rest[:len("200")])
	length, err := readLength(r)
	if err != nil {
		return nil, "", err
	}
	body, err = r.Peek(length)
	if err != nil {
		return nil, "", err
	}
	_, err = r.Discard(length)
	return body, status, err
}

// readLength reads the header up to its end.
func readLength(r *bufio.Reader) (int, error) {
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, errors.Join(err, io.ErrUnexpectedEOF)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
			return 0, fmt.Errorf("Content-Length: %w", err)
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	return length, nil
}
