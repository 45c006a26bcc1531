package realtime_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

// seen says in the words of the protocol what a socket has seen of ada's channel.
func seen(s subscription) string {
	return fmt.Sprintf(`"personal:#ada":{"recover":true,"epoch":%q,"offset":%d}`, s.Epoch, s.Offset)
}

func TestASocketThatComesBackGetsWhatItMissed(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t).Addr()
	here, there := serve(t, redis), serve(t, redis)
	for _, tt := range []struct {
		name      string
		missed    int
		recovered bool
	}{
		{"nothing", 0, true},
		{"three messages", 3, true},
		{"as much as is kept", 100, true},
		{"more than is kept: it is told so", 101, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			user, channel := "ada "+tt.name, "personal:#ada "+tt.name
			b, hello := connected(t, here.addr, "", "X-User: "+user)
			publish(t, here, user, "first", `"first"`)
			b.push(t)
			position := hello.Connect.Subs[channel]
			position.Offset++
			b.leave()
			for i := range tt.missed {
				publish(t, here, user, strconv.Itoa(i), strconv.Itoa(i))
				publish(t, there, user, strconv.Itoa(i), strconv.Itoa(i))
			}

			subs := fmt.Sprintf(`%q:{"recover":true,"epoch":%q,"offset":%d}`, channel, position.Epoch, position.Offset)
			back, hello := connected(t, there.addr, subs, "X-User: "+user)
			got := hello.Connect.Subs[channel]
			if got.Recovered != tt.recovered {
				t.Fatalf("recovered = %v", got.Recovered)
			}
			if tt.recovered && len(got.Publications) != tt.missed {
				t.Fatalf("%d messages of %d", len(got.Publications), tt.missed)
			}
			for i, p := range got.Publications {
				if string(p.Data) != strconv.Itoa(i) {
					t.Errorf("message %d is %s", i, p.Data)
				}
			}
			publish(t, here, user, "last", `"last"`)
			if data := back.push(t); data != `"last"` {
				t.Errorf("then came %s", data)
			}
		})
	}
}
