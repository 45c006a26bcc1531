package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	socketCount = 6
	// toldWithin is what pages are promised.
	toldWithin = 2 * time.Second
	// sessionEnded is why sockets are closed after a logout.
	sessionEnded websocket.StatusCode = 4501
)

// sessionEverywhere fetches the dashboard on fresh connections until every replica has answered some.
func (s *suite) sessionEverywhere(ctx context.Context) (string, error) {
	const asks = 30
	header := webDashboard().as(s.person)
	header.Set("Connection", "close")
	for range asks {
		if err := s.look(ctx, dashboard{"web", "/web/dashboard", func(person) http.Header { return header }}, s.person, whole); err != nil {
			return "", err
		}
	}
	counts, err := s.answered(ctx, `"/web/dashboard"`)
	if err == nil {
		err = everywhere(counts)
	}
	return fmt.Sprintf("they answered %v of %d and a few before", counts, asks), err
}

// answered is how many requests each replica of bff-web has logged for a route.
func (s *suite) answered(ctx context.Context, route string) ([]int, error) {
	replicas, err := s.project.inspect(ctx, "bff-web")
	if err != nil {
		return nil, err
	}
	counts := make([]int, len(replicas))
	for i, replica := range replicas {
		log, err := s.project.docker(ctx, "logs", replica.ID)
		if err != nil {
			return nil, err
		}
		counts[i] = strings.Count(log, `"route":`+route)
	}
	return counts, nil
}

// everywhere is nil when every replica has done something.
func everywhere(counts []int) error {
	if len(counts) != webReplicas {
		return fmt.Errorf("%d replicas, want %d", len(counts), webReplicas)
	}
	if slices.Contains(counts, 0) {
		return fmt.Errorf("they answered %v: one of them nothing", counts)
	}
	return nil
}

// sockets opens more sockets than there are replicas, places an order, and signs out.
func (s *suite) sockets(ctx context.Context) (string, error) {
	who, err := s.newPerson(ctx, "hedy", "initech")
	if err != nil {
		return "", err
	}
	sockets := make([]*websocket.Conn, socketCount)
	for i := range sockets {
		if sockets[i], err = s.openSocket(ctx, who); err != nil {
			return "", err
		}
		defer func() { _ = sockets[i].CloseNow() }()
	}
	id, err := s.placeOrder(ctx, who)
	if err != nil {
		return "", err
	}
	err = each(ctx, sockets, func(ctx context.Context, socket *websocket.Conn) error { return hears(ctx, socket, id) })
	if err != nil {
		return "", fmt.Errorf("a new order: %w", err)
	}
	begun := time.Now()
	if err := s.signOut(ctx, who, sockets); err != nil {
		return "", err
	}
	closed := time.Since(begun)
	var counts []int
	_, err = eventually(ctx, 5*time.Second, func(ctx context.Context) (err error) {
		if counts, err = s.answered(ctx, `"/web/ws"`); err != nil {
			return err
		}
		return everywhere(counts)
	})
	return fmt.Sprintf("%d sockets, on the replicas %v, heard of a new order and had ended %v after signing out",
		len(sockets), counts, closed.Round(time.Millisecond)), err
}

// openSocket opens a socket as the page does, and returns when it is told what changes.
func (s *suite) openSocket(ctx context.Context, who person) (*websocket.Conn, error) {
	header := http.Header{"Cookie": {who.cookie}, "Origin": {s.edge}}
	conn, _, err := websocket.Dial(ctx, s.edge+"/web/ws", &websocket.DialOptions{HTTPClient: s.client, HTTPHeader: header}) //nolint:bodyclose // the library has closed it
	if err != nil {
		return nil, err
	}
	err = conn.Write(ctx, websocket.MessageText, []byte(`{"id":1,"connect":{}}`))
	if err == nil {
		err = hears(ctx, conn, `"personal:#`)
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return conn, nil
}

// hears reads until a message holds the text, and answers pings.
func hears(ctx context.Context, socket *websocket.Conn, text string) error {
	const ping, pong = "{}", "{}"
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			return err
		}
		if strings.Contains(string(message), text) {
			return nil
		}
		if strings.TrimSpace(string(message)) == ping {
			if err := socket.Write(ctx, websocket.MessageText, []byte(pong)); err != nil {
				return err
			}
		}
	}
}

// each does something with every socket at once.
func each(ctx context.Context, sockets []*websocket.Conn, do func(context.Context, *websocket.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, toldWithin)
	defer cancel()
	done := make(chan error)
	for _, socket := range sockets {
		go func() { done <- do(ctx, socket) }()
	}
	errs := make([]error, len(sockets))
	for i := range errs {
		errs[i] = <-done
	}
	return errors.Join(errs...)
}

// placeOrder places an order at the Order Service, past all BFFs, from within its network.
func (s *suite) placeOrder(ctx context.Context, who person) (id string, err error) {
	created, err := s.project.docker(ctx, "run", "--rm", "--network", projectName+"_back", projectName+"-edge", "wget", "-q", "-O", "-",
		"--header", "Authorization: Bearer "+who.token, "--header", "Content-Type: application/json",
		"--post-data", `{"items":[{"sku":"BOK-30571","quantity":2}]}`, "http://orders:9002/orders")
	if err != nil {
		return "", err
	}
	var order struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(created), &order); err != nil || order.ID == "" {
		return "", fmt.Errorf("placing an order: %s", created)
	}
	return strconv.Quote(order.ID), nil
}

// signOut signs out and waits until every socket of the session is closed for that reason.
func (s *suite) signOut(ctx context.Context, who person, sockets []*websocket.Conn) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.edge+"/web/logout", http.NoBody)
	if err != nil {
		return err
	}
	got, err := s.send(req, webDashboard().as(who))
	if err == nil {
		err = got.want(http.StatusOK, "logoutUrl")
	}
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return each(ctx, sockets, func(ctx context.Context, socket *websocket.Conn) error {
		for {
			_, _, err := socket.Read(ctx)
			switch {
			case websocket.CloseStatus(err) == sessionEnded:
				return nil
			case err != nil:
				return fmt.Errorf("a socket after signing out: %w", err)
			}
		}
	})
}
