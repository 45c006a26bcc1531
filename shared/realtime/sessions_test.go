package realtime_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/realtime"
)

func TestASessionThatEndsLosesItsSocketsEverywhere(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t).Addr()
	here, there := serve(t, redis), serve(t, redis)
	var ended []*browser
	for _, r := range []*replica{here, here, there, there} {
		b, _ := connected(t, r.addr, "")
		ended = append(ended, b)
	}
	opened := open(t, there.addr) // and not connected
	same, _ := connected(t, there.addr, "", "X-Session: s2")
	other, _ := connected(t, there.addr, "", "X-User: grace")

	began := time.Now()
	if err := here.hub.EndSession(t.Context(), "ada", "s1"); err != nil {
		t.Fatal(err)
	}
	for _, b := range ended {
		if code := b.ended(t); code != 4501 {
			t.Errorf("a socket ended with %d", code)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("that took %v", took)
	}
	opened.send(`{"id":1,"connect":{}}`)
	if code := opened.ended(t); code != 4501 {
		t.Errorf("a socket that had not connected ended with %d", code)
	}
	if !same.answers(t) || !other.answers(t) {
		t.Error("another session has lost its socket")
	}
	late := open(t, there.addr)
	late.send(`{"id":1,"connect":{}}`)
	if code := late.ended(t); code != 4501 || len(late.replies) > 0 {
		t.Errorf("a socket that was on its way ended with %d after %d answers", code, len(late.replies))
	}
}

func TestASessionIsAskedAboutWhileItsSocketIsOpen(t *testing.T) {
	t.Parallel()
	alive := func(yes bool, err error) func(context.Context, realtime.Session) (bool, error) {
		return func(context.Context, realtime.Session) (bool, error) { return yes, err }
	}
	for _, tt := range []struct {
		name    string
		alive   func(context.Context, realtime.Session) (bool, error)
		expires string
		ends    bool
	}{
		{"alive: the socket stays", alive(true, nil), "1h", false},
		{"alive, and without an end: the socket stays", alive(true, nil), "", false},
		{"not alive: the socket ends", alive(false, nil), "1h", true},
		{"nobody knows: the socket stays", alive(false, errors.New("away")), "1h", false},
		{"a panic: the socket stays, and so do all others", func(context.Context, realtime.Session) (bool, error) { panic("nil map") }, "1h", false},
		{"expired: the socket ends", alive(true, nil), "1s", true},
		{"expired, and nobody knows: the socket ends", alive(false, errors.New("away")), "1s", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 1000)
			r := prepared(t, miniredis.RunT(t).Addr(), func(o *realtime.Options) {
				o.Alive = func(ctx context.Context, s realtime.Session) (bool, error) {
					if _, limited := ctx.Deadline(); !limited || s.User != "ada" || s.ID != "s1" {
						t.Errorf("asked about %+v", s)
					}
					asked <- struct{}{}
					return tt.alive(ctx, s)
				}
			})
			r.hub.CheckEvery(2 * time.Second)
			r.run(t)
			eventually(t, "the hub runs", r.hub.Running)
			b, _ := connected(t, r.addr, "", "X-Expires: "+tt.expires)
			if tt.ends {
				if code := b.ended(t); code != 4501 {
					t.Errorf("the socket ended with %d", code)
				}
				return
			}
			for range 2 {
				select {
				case <-asked:
				case <-time.After(within):
					t.Fatal("nobody asks")
				}
			}
			if !b.answers(t) {
				t.Errorf("the socket ended with %d", b.code)
			}
		})
	}
}

func TestAnExpiredSessionGetsNoSocket(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	b := open(t, r.addr, "X-Expires: -1s")
	b.send(`{"id":1,"connect":{}}`)
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
}
