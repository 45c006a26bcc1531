//go:build unix

package redistest_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"bff.internal/shared/platform/redistest"
)

func TestARedisCanBeTakenAwayAndComeBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{name: "it answers once it is started", do: func() {}, want: "+PONG\r\n"},
		{name: "it takes connections but says nothing while it is frozen", do: server.Freeze, want: "silence"},
		{name: "it answers once it is thawed", do: server.Thaw, want: "+PONG\r\n"},
		{name: "it refuses connections once it is stopped", do: server.Stop, want: "refused"},
		{name: "stopping it again does nothing", do: server.Stop, want: "refused"},
		{name: "it answers once it is started again", do: server.Restart, want: "+PONG\r\n"},
		{name: "a frozen one can be stopped", do: func() { server.Freeze(); server.Stop() }, want: "refused"},
	} {
		step.do()
		if got := ping(t, server.Addr()); got != step.want {
			t.Fatalf("%s: PING gives %q, want %q", step.name, got, step.want)
		}
	}
}

// ping says what a PING comes to: the answer, "silence" or "refused".
func ping(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "refused"
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return "silence"
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "silence"
	}
	return answer
}
