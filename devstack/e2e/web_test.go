package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"bff.internal/devstack/stack"
)

// elsewhere is a stack whose identity provider is another site than the BFFs, as in real life.
func elsewhere() stack.Config {
	cfg := stack.FreePorts()
	cfg.IssuerHost = "127.0.0.1"
	return cfg
}

// site is the edge as a browser calls it.
func (s *suite) site() string { return strings.Replace(s.Edge, "127.0.0.1", "localhost", 1) }

func TestAPersonSignsInSeesOrdersChangeAndSignsOut(t *testing.T) { //nolint:paralleltest // a browser takes every core
	s := startWith(t, elsewhere())
	b := openBrowser(t)

	b.do("opening the page", chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.site()+"/"))
	b.appears("#sign-in")
	b.shoot("signed-out-1280")
	b.do("going to sign in", chromedp.Click("#sign-in"))
	b.appears(`input[name=password]`)
	if at := run(b, chromedp.Location()); !strings.HasPrefix(at, s.Issuer+"/") || strings.Contains(at, "localhost") {
		t.Errorf("the login page is at %s, want another site than %s", at, s.site())
	}
	b.shoot("login-1280")
	b.signIn("ada")

	for _, section := range []string{"user", "activeOrders", "metrics"} {
		b.appears(`[data-section=` + section + `][data-status=ok]`)
	}
	b.appears("#live[data-state=live]")
	if at := run(b, chromedp.Location()); at != s.site()+"/web/" {
		t.Errorf("landed at %s", at)
	}
	if name := run(b, chromedp.Text("#account-name")); name != "Ada Lovelace" {
		t.Errorf("signed in as %q", name)
	}
	if days := run(b, chromedp.Evaluate[int](`document.querySelectorAll("svg#chart [data-day]").length`)); days != 30 {
		t.Errorf("the chart has %d days", days)
	}
	if orders := run(b, chromedp.Evaluate[int](`document.querySelectorAll("[data-order]").length`)); orders != 8 {
		t.Errorf("the list has %d orders", orders)
	}
	b.shoot("signed-in-1280")
	b.do("on a phone", chromedp.EmulateViewport(390, 844))
	b.shoot("signed-in-390")

	b.do("marking the page", chromedp.Evaluate[chromedp.Void](`window.marked = true; undefined`))
	id := s.placeOrder(t)
	begun := time.Now()
	b.appears(`[data-order="` + id + `"][data-status=placed]`)
	t.Logf("a new order was seen after %v", time.Since(begun))
	b.shoot("new-order-390")
	begun = time.Now()
	s.cancelOrder(t, id)
	b.appears(`[data-order="` + id + `"][data-status=cancelled]`)
	t.Logf("that it was cancelled was seen after %v", time.Since(begun))
	if !run(b, chromedp.Evaluate[bool](`window.marked === true`)) {
		t.Error("the page was loaded anew in between")
	}

	cookie := b.cookie(s.site())
	socket := s.openSocket(t, cookie)
	b.do("signing out", chromedp.EmulateViewport(1280, 900), chromedp.Click("#sign-out"))
	b.appears("#sign-in")
	if code := socket.closed(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
	old := http.Header{"Cookie": {cookie}, "X-Csrf": {"1"}}
	for _, path := range []string{"/web/session", "/web/dashboard"} {
		if got := s.as(t, http.MethodGet, s.site()+path, old.Clone(), ""); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with the old cookie: %s", path, got.Status)
		}
	}
	if _, resp, err := s.dial(t, cookie); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a socket with the old cookie: %v, %v", resp, err)
	}
	b.do("signing in again", chromedp.Click("#sign-in"))
	b.appears(`input[name=password]`) // the provider has forgotten too
	b.checkConsole()
}

func TestTwentyTabsSignInAtOnceAndEachLandsWhereItWanted(t *testing.T) { //nolint:paralleltest // a browser takes every core
	s := startWith(t, elsewhere())
	const count = 20
	tabs := []*tab{openBrowser(t)}
	for len(tabs) < count {
		tabs = append(tabs, tabs[0].another())
	}
	all := func(step func(i int, b *tab)) {
		var steps sync.WaitGroup
		for i, b := range tabs {
			steps.Go(func() { step(i, b) })
		}
		steps.Wait()
	}
	all(func(i int, b *tab) {
		b.do("opening", chromedp.Navigate(fmt.Sprintf("%s/web/login?returnTo=/web/%%3Ftab=%d", s.site(), i)))
	})
	all(func(_ int, b *tab) { b.signIn("ada") })
	all(func(i int, b *tab) {
		b.appears(`[data-section=user][data-status=ok]`)
		if at, want := run(b, chromedp.Location()), fmt.Sprintf("%s/web/?tab=%d", s.site(), i); at != want {
			t.Errorf("tab %d landed at %s, want %s", i, at, want)
		}
		b.checkConsole()
	})
}

// placeOrder places an order of ada at the Order Service, past all BFFs.
func (s *suite) placeOrder(t *testing.T) (id string) {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + s.token}, "Content-Type": {"application/json"}}
	got := s.as(t, http.MethodPost, s.Orders+"/orders", header, `{"items":[{"sku":"BOK-30571","quantity":2}]}`)
	var order struct{ ID string }
	if err := json.Unmarshal([]byte(got.body), &order); err != nil || got.StatusCode != http.StatusCreated {
		t.Fatalf("placing an order: %s %s", got.Status, got.body)
	}
	return order.ID
}

func (s *suite) cancelOrder(t *testing.T, id string) {
	t.Helper()
	got := s.as(t, http.MethodPost, s.Orders+"/orders/"+id+"/cancel", http.Header{"Authorization": {"Bearer " + s.token}}, "")
	if got.StatusCode != http.StatusOK {
		t.Fatalf("cancelling an order: %s %s", got.Status, got.body)
	}
}

// socket is a socket of bff-web that no browser holds.
type socket struct{ *websocket.Conn }

// dial tries to open a socket.
func (s *suite) dial(t *testing.T, cookie string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	header := http.Header{"Cookie": {cookie}, "Origin": {s.site()}}
	return websocket.Dial(t.Context(), s.Edge+"/web/ws", &websocket.DialOptions{HTTPClient: s.client, HTTPHeader: header})
}

// openSocket opens a socket, and returns when it is told what changes.
func (s *suite) openSocket(t *testing.T, cookie string) socket {
	t.Helper()
	conn, resp, err := s.dial(t, cookie)
	for deadline := time.Now().Add(10 * time.Second); err != nil; conn, resp, err = s.dial(t, cookie) {
		if resp == nil || resp.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatal(err) // other than that sockets are not there yet
		}
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"id":1,"connect":{}}`)); err != nil {
		t.Fatal(err)
	}
	if _, reply, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(reply), `"personal:#`) {
		t.Fatalf("connecting: %s %v", reply, err)
	}
	return socket{conn}
}

// next returns the next message that is no ping, and answers those that are.
func (s socket) next(t *testing.T) string {
	t.Helper()
	const ping, pong = "{}", "{}"
	ctx, cancel := context.WithTimeout(t.Context(), pageWithin)
	defer cancel()
	for {
		_, message, err := s.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.TrimSpace(string(message)); text != ping {
			return text
		}
		if err := s.Write(t.Context(), websocket.MessageText, []byte(pong)); err != nil {
			t.Fatal(err)
		}
	}
}

// closed reads until the socket is closed, and returns the code.
func (s socket) closed(t *testing.T) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pageWithin)
	defer cancel()
	for {
		if _, _, err := s.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}
