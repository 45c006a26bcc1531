package realtime_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// within is how long a test waits for what has to come.
const within = 10 * time.Second

// Opcodes of RFC 6455.
const (
	continuation, text, closing, ping, pong = 0x0, 0x1, 0x8, 0x9, 0xa
)

// browser is a WebSocket client that can also do what no browser does.
type browser struct {
	conn   net.Conn
	reader *bufio.Reader
	sent   sync.Mutex

	replies chan reply
	pushes  chan push
	end     chan struct{} // closed at the end, when code is set
	code    int           // of the close frame, or 1006
}

// reply is an answer to a command.
type reply struct {
	ID    int `json:"id"`
	Error struct {
		Code int `json:"code"`
	} `json:"error"`
	Connect struct {
		Subs map[string]subscription `json:"subs"`
		Ping int                     `json:"ping"`
	} `json:"connect"`
	Push *struct {
		Channel string `json:"channel"`
		Pub     *push  `json:"pub"`
	} `json:"push"`
}

type subscription struct {
	Recovered    bool   `json:"recovered"`
	Epoch        string `json:"epoch"`
	Offset       int    `json:"offset"`
	Publications []push `json:"publications"`
}

type push struct {
	Data   json.RawMessage `json:"data"`
	Offset int             `json:"offset"`
}

// shake sends the request and returns the answer. The headers come after those that a browser sends, and one
// of them that ends with a colon alone takes one of those away.
func shake(tb testing.TB, addr string, headers ...string) (*browser, *http.Response) {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	all := []string{
		"Host: bff.test", "Origin: " + page, "Connection: keep-alive, Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X-User: ada", "X-Session: s1",
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		kept := all[:0]
		for _, own := range all {
			if !strings.HasPrefix(own, name+":") || strings.HasPrefix(value, " +") {
				kept = append(kept, own)
			}
		}
		if all = kept; value != "" {
			all = append(all, name+": "+strings.TrimPrefix(value, " +"))
		}
	}
	_, err = fmt.Fprintf(conn, "GET /live?cf_ws_frame_ping_pong=true HTTP/1.1\r\n%s\r\n\r\n", strings.Join(all, "\r\n"))
	if err != nil {
		tb.Fatal(err)
	}
	b := &browser{conn: conn, reader: bufio.NewReader(conn), replies: make(chan reply, 1000), pushes: make(chan push, 10_000), end: make(chan struct{})}
	resp, err := http.ReadResponse(b.reader, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = resp.Body.Close() })
	return b, resp
}

// open opens a socket and reads from it until its end.
func open(tb testing.TB, addr string, headers ...string) *browser {
	tb.Helper()
	b, resp := shake(tb, addr, headers...)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(resp.Body)
		tb.Fatalf("upgrade: %s %s", resp.Status, body)
	}
	go b.read()
	tb.Cleanup(func() { b.leave(); <-b.end })
	return b
}

// connected opens a socket and connects; subs is what of its channels it has seen, in the words of the protocol.
func connected(tb testing.TB, addr, subs string, headers ...string) (*browser, reply) {
	tb.Helper()
	b := open(tb, addr, headers...)
	b.send(`{"id":1,"connect":{"subs":{` + subs + `}}}`)
	return b, b.reply(tb)
}

func (b *browser) send(message string) { b.frame(0x80|text, []byte(message)) }

// frame sends a frame; a socket that is closed takes nothing.
func (b *browser) frame(first byte, payload []byte) {
	var frame bytes.Buffer
	frame.WriteByte(first)
	switch n := len(payload); {
	case n < 126:
		frame.WriteByte(0x80 | byte(n))
	case n < 1<<16:
		frame.WriteByte(0x80 | 126)
		_ = binary.Write(&frame, binary.BigEndian, uint16(n))
	default:
		frame.WriteByte(0x80 | 127)
		_ = binary.Write(&frame, binary.BigEndian, uint64(n))
	}
	frame.Write([]byte{0, 0, 0, 0}) // a mask that changes nothing
	frame.Write(payload)
	b.sent.Lock()
	defer b.sent.Unlock()
	_, _ = b.conn.Write(frame.Bytes())
}

// leave ends the connection without a word.
func (b *browser) leave() { _ = b.conn.Close() }

func (b *browser) read() {
	defer close(b.end)
	b.code = 1006
	for {
		opcode, payload, err := b.receive()
		if err != nil {
			return
		}
		switch opcode {
		case closing:
			if len(payload) >= 2 {
				b.code = int(binary.BigEndian.Uint16(payload))
			}
			b.frame(0x80|closing, payload)
			return
		case text:
			b.take(payload)
		}
	}
}

func (b *browser) receive() (opcode byte, payload []byte, err error) {
	var header [2]byte
	if _, err := io.ReadFull(b.reader, header[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(header[1])
	switch length {
	case 126:
		var long uint16
		err = binary.Read(b.reader, binary.BigEndian, &long)
		length = uint64(long)
	case 127:
		err = binary.Read(b.reader, binary.BigEndian, &length)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(b.reader, payload)
	return header[0] & 0x0f, payload, err
}

func (b *browser) take(payload []byte) {
	for line := range bytes.Lines(payload) {
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			b.replies <- reply{ID: -1}
			continue
		}
		switch {
		case string(bytes.TrimSpace(line)) == "{}":
			b.send("{}")
		case r.Push == nil:
			b.replies <- r
		case r.Push.Pub != nil:
			b.pushes <- *r.Push.Pub
		}
	}
}

// reply returns the next answer.
func (b *browser) reply(tb testing.TB) reply {
	tb.Helper()
	select {
	case r := <-b.replies:
		return r
	case <-b.end:
		tb.Fatalf("the socket ended with %d", b.code)
	case <-time.After(within):
		tb.Fatal("no answer")
	}
	return reply{}
}

// push returns the data of the next message.
func (b *browser) push(tb testing.TB) string {
	tb.Helper()
	select {
	case p := <-b.pushes:
		return string(p.Data)
	case <-b.end:
		tb.Fatalf("the socket ended with %d", b.code)
	case <-time.After(within):
		tb.Fatal("no message")
	}
	return ""
}

// ended returns the code with which the socket ends.
func (b *browser) ended(tb testing.TB) int {
	tb.Helper()
	select {
	case <-b.end:
		return b.code
	case <-time.After(within):
		tb.Fatal("the socket stays open")
		return 0
	}
}

// open reports whether the socket still answers.
func (b *browser) answers(tb testing.TB) bool {
	tb.Helper()
	b.send(`{"id":99,"rpc":{"method":"anybody there?"}}`)
	for {
		select {
		case r := <-b.replies:
			if r.ID == 99 {
				return true
			}
		case <-b.end:
			return false
		case <-time.After(within):
			return false
		}
	}
}
