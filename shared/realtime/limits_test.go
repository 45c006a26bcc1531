package realtime_test

import (
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/realtime"
	"bff.internal/shared/telemetry"
)

func TestWhatAClientMayNotAsk(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	const notAvailable = 108
	for _, tt := range []struct{ name, command string }{
		{"somebody else's channel", `"subscribe":{"channel":"personal:#grace"}`},
		{"its own channel once more", `"subscribe":{"channel":"personal:#ada"}`},
		{"any channel", `"subscribe":{"channel":"news","recover":true}`},
		{"to publish", `"publish":{"channel":"personal:#ada","data":{}}`},
		{"who is there", `"presence":{"channel":"personal:#grace"}`},
		{"how many are there", `"presence_stats":{"channel":"personal:#ada"}`},
		{"what was said", `"history":{"channel":"personal:#grace","limit":10}`},
		{"a procedure", `"rpc":{"method":"dashboard","data":{}}`},
		{"another session", `"refresh":{"token":"x"}`},
		{"another subscription", `"sub_refresh":{"channel":"personal:#ada","token":"x"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, _ := connected(t, r.addr, "", "X-User: ada "+tt.name)
			b.send(`{"id":2,` + tt.command + `}`)
			select {
			case got := <-b.replies:
				if got.ID != 2 || got.Error.Code == 0 {
					t.Errorf("got %+v, want the error %d", got, notAvailable)
				}
			case <-b.end:
				if b.code != 3501 {
					t.Errorf("ended with %d", b.code)
				}
			case <-time.After(within):
				t.Error("no answer")
			}
		})
	}
}

func TestAClientCannotSubscribeWhenItConnects(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	b := open(t, r.addr)
	b.send(`{"id":1,"connect":{"token":"x","data":{"user":"grace"},"subs":{"personal:#grace":{},"news":{}}}}`)
	subs := b.reply(t).Connect.Subs
	if _, own := subs["personal:#ada"]; !own || len(subs) != 1 {
		t.Errorf("subscribed to %v", subs)
	}
	publish(t, r, "grace", "1", `{}`)
	publish(t, r, "ada", "1", `{"for":"ada"}`)
	if got := b.push(t); got != `{"for":"ada"}` {
		t.Errorf("got %s", got)
	}
}

func TestASocketEndsWhenTheClientMisbehaves(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	repeat := func(n int, send func(*browser)) func(*browser) {
		return func(b *browser) {
			for range n {
				send(b)
			}
		}
	}
	for _, tt := range []struct {
		name     string
		do       func(*browser)
		codes    []int
		unasked  bool // does not connect first
		patience time.Duration
	}{
		{"too many commands", repeat(100, func(b *browser) { b.send(`{"id":5,"rpc":{}}`) }), []int{4502}, false, time.Second},
		{"too many commands in one message", func(b *browser) { b.send(strings.Repeat(`{"id":5,"rpc":{}}`+"\n", 100)) }, []int{4502}, false, time.Second},
		{"too many pings", repeat(300, func(b *browser) { b.frame(0x80|ping, []byte("?")) }), []int{4502}, false, time.Second},
		{"too many pongs", repeat(300, func(b *browser) { b.frame(0x80|pong, nil) }), []int{4502}, false, time.Second},
		{"a message in too many pieces", func(b *browser) {
			b.frame(text, []byte(`{"id":5`))
			for range 300 {
				b.frame(continuation, nil)
			}
		}, []int{4502}, false, time.Second},
		{"too many pings before it connects", repeat(300, func(b *browser) { b.frame(0x80|ping, nil) }), []int{1006}, true, time.Second},
		{"pongs of the protocol that nobody asked for", repeat(2, func(b *browser) { b.send("{}") }), []int{3501}, false, time.Second},
		{"an empty message", func(b *browser) { b.send("") }, []int{3501}, false, time.Second},
		{"garbage", func(b *browser) { b.send("\x00garbage") }, []int{3501}, false, time.Second},
		{"a command before it connects", func(b *browser) { b.send(`{"id":1,"rpc":{}}`) }, []int{3501}, true, time.Second},
		{"a message that is for nobody", func(b *browser) { b.send(`{"send":{"data":{}}}`) }, []int{3508}, false, time.Second},
		{"connecting twice", func(b *browser) { b.send(`{"id":2,"connect":{}}`) }, []int{3501}, false, time.Second},
		{"a large message", func(b *browser) { b.send(`{"id":2,"rpc":{"data":"` + strings.Repeat("x", 17<<10) + `"}}`) }, []int{1009}, false, time.Second},
		{"a large message in pieces", func(b *browser) {
			b.frame(text, []byte(`{"id":2,"rpc":{"data":"`))
			for range 9 {
				b.frame(continuation, []byte(strings.Repeat("x", 2<<10)))
			}
		}, []int{1009}, false, time.Second},
		{"a frame that announces an exabyte", func(b *browser) {
			_, _ = b.conn.Write([]byte{0x81, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		}, []int{1009}, false, time.Second},
		{"frames without a mask", func(b *browser) { _, _ = b.conn.Write([]byte{0x81, 0x02, '{', '}'}) }, []int{1002}, false, time.Second},
		{"nothing at all", func(*browser) {}, []int{3502}, true, 6 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			user := "X-User: " + tt.name
			b := open(t, r.addr, user)
			if !tt.unasked {
				b.send(`{"id":1,"connect":{}}`)
				b.reply(t)
			}
			began := time.Now()
			tt.do(b)
			if got := b.ended(t); got != tt.codes[0] {
				t.Errorf("ended with %d, want %v", got, tt.codes)
			}
			if took := time.Since(began); took > tt.patience+2*time.Second {
				t.Errorf("that took %v", took)
			}
			eventually(t, "its place is free", func() bool { return r.hub.Sockets(tt.name) == 0 })
		})
	}
}

func TestAUserHasTwentySocketsAtAReplica(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	var tabs []*browser
	for range 20 {
		b, _ := connected(t, r.addr, "")
		tabs = append(tabs, b)
	}
	for range 20 {
		b := open(t, r.addr)
		b.send(`{"id":1,"connect":{}}`)
		if code := b.ended(t); code != 3504 {
			t.Fatalf("the 21st socket ended with %d", code)
		}
	}
	connected(t, r.addr, "", "X-User: grace")
	tabs[0].leave()
	eventually(t, "a place is free", func() bool { return r.hub.Sockets("ada") < 20 })
	if b, _ := connected(t, r.addr, ""); !b.answers(t) {
		t.Error("a free place was not given away")
	}

	var idle []*browser
	refused := false
	for range 21 {
		b, resp := shake(t, r.addr)
		if resp.StatusCode == http.StatusTooManyRequests {
			refused = true
			checkProblem(t, resp, "too_many_sockets")
			break
		}
		idle = append(idle, b)
	}
	if !refused {
		t.Error("surplus sockets are opened without end")
	}
	for _, b := range idle {
		b.leave()
	}
}

func TestAReaderThatStopsIsCut(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	slow, resp := shake(t, r.addr)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp.Status)
	}
	if tcp, ok := slow.conn.(*net.TCPConn); !ok || tcp.SetReadBuffer(4096) != nil {
		t.Fatal("its buffer is not small")
	}
	slow.send(`{"id":1,"connect":{}}`)
	eventually(t, "it is connected", func() bool { return r.hub.Clients() == 1 })
	quick, _ := connected(t, r.addr, "")
	large := `"` + strings.Repeat("x", 60<<10) + `"`
	began := time.Now()
	i := 0
	for ; r.hub.Sockets("ada") == 2; i++ {
		if time.Since(began) > within {
			t.Fatal("it is not")
		}
		publish(t, r, "ada", strconv.Itoa(i), large)
		quick.push(t)
	}
	t.Logf("cut after %v and %d messages", time.Since(began), i)
	if !quick.answers(t) {
		t.Error("the other socket suffers")
	}
}

func TestMessagesThatAreNone(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	for _, tt := range []struct{ name, user, id, data string }{
		{"for nobody", "", "1", "{}"},
		{"without an id", "ada", "", "{}"},
		{"not JSON", "ada", "1", "{"},
		{"nothing", "ada", "1", ""},
		{"two values", "ada", "1", "{}{}"},
		{"too large", "ada", "1", `"` + strings.Repeat("x", 64<<10) + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := r.hub.Publish(t.Context(), tt.user, tt.id, []byte(tt.data)); err == nil {
				t.Error("it was published")
			}
		})
	}
}

func TestAHubWithoutItsPartsIsAMistake(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	realtime.New(realtime.Options{})
}

func TestNotEvenADetailedLogQuotesClients(t *testing.T) {
	t.Parallel()
	log := &lines{}
	r := serve(t, miniredis.RunT(t).Addr(), func(o *realtime.Options) {
		detailed, err := telemetry.Open(t.Context(), telemetry.Config{LogLevel: slog.LevelDebug}, "test", log)
		if err != nil {
			t.Fatal(err)
		}
		o.Telemetry = detailed
	})
	for _, message := range []string{
		`{"id":2,"rpc":{"method":"secret-of-ada","data":"secret-of-ada"}}`,
		`{"id":2,"publish":{"channel":"x","data":"secret-of-ada"}}`,
		`{"send":{"data":"secret-of-ada"}}`,
		`{"secret-of-ada`,
		`secret-of-ada`,
	} {
		b := open(t, r.addr)
		b.send(`{"id":1,"connect":{"token":"secret-of-ada","data":"secret-of-ada","headers":{"x":"secret-of-ada"}}}`)
		b.reply(t)
		publish(t, r, "ada", message, `"secret-of-ada"`)
		b.push(t)
		b.send(message)
		b.answers(t)
	}
	if text := log.String(); strings.Contains(text, "secret-of-ada") || !strings.Contains(text, "client command error") {
		t.Errorf("log:\n%s", text)
	}
}
