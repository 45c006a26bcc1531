package platform

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestAClientThatStopsReadingIsCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		limit   time.Duration // what the server or a handler allows for everything
		reads   []int         // what the client takes, a second apart
		after   time.Duration
		written int
	}{
		{
			name:  "one that takes nothing",
			after: stalledAfter,
		},
		{
			name: "one that takes nothing while the limit is nearer", limit: 3 * time.Second,
			after: 3 * time.Second,
		},
		{
			name: "one that stops half-way, within the time of the piece that it stopped in", limit: time.Minute,
			reads: []int{guardedPiece, 10}, after: time.Second + stalledAfter, written: guardedPiece + 10,
		},
		{
			name:  "but not one that is slow",
			reads: []int{guardedPiece, guardedPiece / 2, guardedPiece / 2, guardedPiece / 2, guardedPiece / 2, guardedPiece / 2, guardedPiece / 2},
			after: 7 * time.Second, written: 4 * guardedPiece,
		},
		{
			name: "nor one that takes all within a limit that is as long as that", limit: 5 * time.Second,
			reads: []int{4 * guardedPiece}, after: time.Second, written: 4 * guardedPiece,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, client := net.Pipe()
				conn := &guardedConn{Conn: server}
				if test.limit > 0 {
					if err := conn.SetDeadline(time.Now().Add(test.limit)); err != nil {
						t.Fatal(err)
					}
				}
				go func() {
					for _, size := range test.reads {
						<-time.After(time.Second)
						_, _ = io.CopyN(io.Discard, client, int64(size))
					}
				}()
				began := time.Now()
				written, err := conn.Write(make([]byte, 4*guardedPiece))
				if took := time.Since(began); took != test.after || written != test.written {
					t.Errorf("wrote %d in %v, want %d in %v", written, took, test.written, test.after)
				}
				if whole := written == 4*guardedPiece; whole != (err == nil) || (!whole && !errors.Is(err, os.ErrDeadlineExceeded)) {
					t.Errorf("the error is %v", err)
				}
				_ = server.Close()
				_ = client.Close()
			})
		})
	}
}
