package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// load is clients in a closed loop: each sends its next request when it has read the answer to its last.
type load struct {
	clients []*client
	want    []byte // the body of every answer
}

// newLoad connects a client for every request. The caller closes the load.
func newLoad(ctx context.Context, addr string, requests [][]byte, want []byte) (*load, error) {
	l := &load{want: want}
	for _, request := range requests {
		c, err := connect(ctx, addr, request)
		if err != nil {
			l.close()
			return nil, err
		}
		l.clients = append(l.clients, c)
	}
	return l, nil
}

// errLate is an answer that is not the one of the first time: bff-mobile leaves out what is late.
var errLate = errors.New("answered 200 with another body than the first time; if a section is missing, this machine is too busy for its deadline")

// send sends n requests over all connections. The first answer that is not 200 with the body that is wanted ends it.
func (l *load) send(ctx context.Context, n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	sending, ctx := errgroup.WithContext(ctx)
	for _, c := range l.clients {
		sending.Go(func() error {
			for ctx.Err() == nil && left.Add(-1) >= 0 {
				body, err := c.ask()
				if err != nil {
					return err
				}
				if !bytes.Equal(body, l.want) {
					return fmt.Errorf("%w: %s", errLate, body)
				}
			}
			return ctx.Err()
		})
	}
	return sending.Wait()
}

func (l *load) close() {
	for _, c := range l.clients {
		c.conn.Close()
	}
}
