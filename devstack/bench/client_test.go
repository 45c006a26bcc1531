package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, raw    string
		status, body string
		err          string
	}{
		{name: "with a body", raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1", status: "200", body: "{}"},
		{name: "without a reason phrase", raw: "HTTP/1.1 504\r\nContent-Length: 0\r\n\r\n", status: "504"},
		{name: "of unknown length", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", err: "without Content-Length"},
		{name: "with a length that is none", raw: "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n", err: "Content-Length"},
		{name: "not HTTP", raw: "SSH-2.0-OpenSSH\r\n", err: "no HTTP answer"},
		{name: "cut in its header", raw: "HTTP/1.1 200 OK\r\nContent-Le", err: "unexpected EOF"},
		{name: "cut in its body", raw: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", err: "EOF"},
		{name: "none", err: "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body, status, err := readAnswer(bufio.NewReader(strings.NewReader(tt.raw)))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || status != tt.status || string(body) != tt.body {
				t.Errorf("%s %q, %v; want %s %q", status, body, err, tt.status, tt.body)
			}
		})
	}
}
