package realtime_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func TestASocketOutlivesTheDeadlinesOfItsRequest(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	server := httptest.NewUnstartedServer(r.hub)
	const deadline = 200 * time.Millisecond
	server.Config.ReadTimeout, server.Config.WriteTimeout, server.Config.ReadHeaderTimeout = deadline, deadline, deadline
	server.Start()
	defer server.Close()

	began := time.Now()
	b, _ := connected(t, strings.TrimPrefix(server.URL, "http://"), "")
	eventually(t, "they are over", func() bool { return time.Since(began) > 2*deadline })
	publish(t, r, "ada", "1", `{}`)
	b.push(t)
	if !b.answers(t) {
		t.Errorf("the socket ended with %d", b.code)
	}
}

// BenchmarkIdleSocket says what memory a socket takes that only waits, in the server alone: the other end is a
// file descriptor.
func BenchmarkIdleSocket(b *testing.B) {
	const sockets = 1000
	r := serve(b, miniredis.RunT(b).Addr())
	connect := func(n int) net.Conn {
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			b.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "GET /live HTTP/1.1\r\nHost: bff.test\r\nOrigin: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-User: user-%d\r\nX-Session: s\r\n"+
			"User-Agent: %s\r\nCookie: %s\r\n\r\n", page, n, strings.Repeat("browser", 20), strings.Repeat("cookie", 20))
		if err != nil {
			b.Fatal(err)
		}
		hello := make([]byte, 4096)
		n, err = conn.Read(hello)
		if err != nil || !bytes.Contains(hello[:n], []byte(" 101 ")) {
			b.Fatalf("%v: %s", err, hello[:n])
		}
		const command = `{"id":1,"connect":{}}`
		if _, err := conn.Write(append([]byte{0x81, 0x80 | byte(len(command)), 0, 0, 0, 0}, command...)); err != nil {
			b.Fatal(err)
		}
		if n, err = conn.Read(hello); err != nil || !bytes.Contains(hello[:n], []byte(`"connect"`)) {
			b.Fatalf("%v: %s", err, hello[:n])
		}
		return conn
	}
	conns := []net.Conn{connect(-1)}
	for b.Loop() {
		before := memory()
		for n := range sockets {
			conns = append(conns, connect(n))
		}
		b.ReportMetric(float64(memory()-before)/sockets/1024, "KiB/socket")
		for _, conn := range conns[1:] {
			_ = conn.Close()
		}
		conns = conns[:1]
		eventually(b, "they are gone", func() bool { return r.hub.Clients() == 1 })
	}
	_ = conns[0].Close()
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
