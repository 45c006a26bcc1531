package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// enough is how much of something endless is sent at the most, so that who takes it all survives it.
	enough = 64 << 20
	piece  = 32 << 10
	// deep and many keep a body below 256 KiB, which is what is taken of an answer.
	deep = 100_000
	many = 83_000
	// trickleApart is how long one byte comes after the other, and idleness is never longer.
	trickleApart = 20 * time.Millisecond
)

// Shape is a way of answering. The zero value hangs up instead.
type Shape struct {
	// Name says what is wrong with the answer.
	Name string
	// Late is whether the answer does not end in time, instead of being bad.
	Late bool
	// Compressed is whether it is small only on the wire.
	Compressed bool

	send func(conversation)
}

// conversation is a request that wants an answer. Writes fail when its client has left.
type conversation struct {
	conn  net.Conn
	req   *http.Request
	ended <-chan struct{} // when the server closes
}

// Shapes returns all of them.
func Shapes() []Shape {
	packed := sync.OnceValue(bomb)
	return []Shape{
		{Name: "a body without end", send: func(c conversation) { c.endless(json+"\r\n"+`{"id":"`, strings.Repeat("a", piece)) }},
		{Name: "chunks without end", send: func(c conversation) {
			c.endless(json+"Transfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n", piece, strings.Repeat("[", piece)))
		}},
		{Name: "a compressed bomb", Compressed: true, send: func(c conversation) { c.whole(json+"Content-Encoding: gzip\r\n", packed()) }},
		{Name: "nested 100,000 deep", send: func(c conversation) {
			c.whole(json, `{"id":"x","orders":`+strings.Repeat("[", deep)+strings.Repeat("]", deep)+"}")
		}},
		{Name: "83,000 empty objects", send: func(c conversation) { c.whole(json, `{"orders":[{}`+strings.Repeat(",{}", many)+"]}") }},
		{Name: "headers without end", send: func(c conversation) { c.endless("HTTP/1.1 200 OK\r\n", "X-Name: "+strings.Repeat("v", 1000)+"\r\n") }},
		{Name: "interim answers without end", send: func(c conversation) { c.endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }},
		{Name: "another content type", send: func(c conversation) {
			c.whole("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", `{"id":"x","orders":[]}`)
		}},
		{Name: "a redirect to itself", send: func(c conversation) {
			c.whole("HTTP/1.1 302 Found\r\nLocation: http://"+c.req.Host+c.req.URL.RequestURI()+"\r\n", "")
		}},
		{Name: "no HTTP", send: func(c conversation) { c.write(noise()) }},
		{Name: "less than it said", send: func(c conversation) { c.write(json + "Content-Length: 1000\r\n\r\n" + `{"id":"x"`) }},
		{Name: "one byte every 20 ms", Late: true, send: conversation.trickle},
	}
}

// Failing answers a share of requests with 500, and the others with what is a user of whom only the id is known, and a
// list of no orders.
func Failing(share float64) Shape {
	return Shape{Name: "500", send: func(c conversation) {
		if rand.Float64() < share { //nolint:gosec // nobody gains from knowing which request fails
			c.whole("HTTP/1.1 500 Internal Server Error\r\n", "")
			return
		}
		c.whole(json, `{"id":"x","orders":[]}`)
	}}
}

const json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

// whole sends an answer that is well-formed but for its content.
func (c conversation) whole(header, body string) {
	c.write(fmt.Sprintf("%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", header, len(body), body))
}

// endless sends the beginning and then the same again and again.
func (c conversation) endless(beginning, again string) {
	for sent := 0; c.write(beginning) && sent < enough; sent += len(again) {
		beginning = again
	}
}

// trickle never has a pause that is worth a time-out of its own.
func (c conversation) trickle() {
	ticks := time.NewTicker(trickleApart)
	defer ticks.Stop()
	for next := json + "\r\n"; c.write(next); next = " " {
		select {
		case <-ticks.C:
		case <-c.ended:
			return
		}
	}
}

// write reports whether somebody may still want more.
func (c conversation) write(text string) bool {
	_, err := io.WriteString(c.conn, text)
	return err == nil
}

// bomb is a thousandth of what it holds.
func bomb() string {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	// Into memory, where nothing fails.
	_, _ = io.WriteString(zip, `{"id":"`)
	zeros := strings.Repeat("0", piece)
	for range enough / len(zeros) {
		_, _ = io.WriteString(zip, zeros)
	}
	_ = zip.Close()
	return packed.String()
}

// noise is the same bytes every time.
func noise() string {
	var bytes [1024]byte
	_, _ = rand.NewChaCha8([32]byte{}).Read(bytes[:]) // never fails
	return string(bytes[:])
}
