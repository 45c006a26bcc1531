package web_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

func TestWhoIsTurnedAway(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 1)
	b.fill(t)
	for _, tt := range []struct {
		name, method, target string
		status               int
	}{
		{"a route", "GET", "/quick", 503},
		{"a path that nobody knows", "GET", "/nothing", 503},
		{"a path that is refused anyway costs nothing", "GET", "/x/../quick", 400},
		{"the route that is never shed", "POST", "/end", 200},
		{"the same in another spelling", "POST", "/%65nd", 200},
		{"by another method", "GET", "/end", 503},
		{"by a method that nobody knows", "BREW", "/end", 503},
		{"with a slash behind it", "POST", "/end/", 503},
		{"in other letters", "POST", "/END", 503},
		{"a path below it", "POST", "/end/quick", 503},
		{"a path that only begins like it", "POST", "/endless", 503},
		{"a way back from it", "POST", "/end/../quick", 400},
		{"an encoded way back from it", "POST", "/end/%2e%2e/quick", 400},
		{"with another one as its parameter", "POST", "/quick?/end", 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := b.ask(t, tt.method, tt.target)
			if resp.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if tt.status != http.StatusServiceUnavailable {
				return
			}
			checkProblem(t, resp, body, "overloaded")
			if after := resp.Header.Get("Retry-After"); after != "1" && after != "2" && after != "3" {
				t.Errorf("Retry-After = %q", after)
			}
		})
	}
}

func TestARequestThatIsTurnedAwayIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 1)
	b.fill(t)
	b.ask(t, "GET", "/quick", "X-Request-Id: shed", "Authorization: Bearer hunter2")
	event := b.log.last(t, "shed")
	if event["shed"] != true || event["status"] != 503.0 || event["level"] != "WARN" || event["route"] != "" {
		t.Errorf("logged: %v", event)
	}
	got := b.metrics(t)
	for _, want := range []string{`http_request_duration_seconds_count{method="GET",route="none",status="503"} 1`, `http_requests_shed_total{reason="full"} 1`} {
		if !strings.Contains(got, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	if strings.Contains(b.log.buf.String()+got, "hunter2") {
		t.Error("the credential is told")
	}
}

func TestTheConnectionOfARequestThatIsTurnedAwayServesTheNextOne(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 1)
	b.fill(t)
	conn := b.start(t, "")
	reader := bufio.NewReader(conn)
	for _, request := range []string{
		"GET /quick HTTP/1.1\r\nHost: bff\r\n\r\n",
		"POST /end HTTP/1.1\r\nHost: bff\r\n\r\n",
		"POST /quick HTTP/1.1\r\nHost: bff\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n",
	} {
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		if want := strings.Contains(request, "/end"); (resp.StatusCode == http.StatusOK) != want {
			t.Errorf("%q: status = %d", request, resp.StatusCode)
		}
	}
}

func TestAPlaceIsGivenBackHoweverItsRequestEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(b *busy, conn net.Conn)
	}{
		{"with an answer", func(b *busy, _ net.Conn) { close(b.release) }},
		{"with a panic", func(b *busy, _ net.Conn) { close(b.failed) }},
		{"because the client left", func(_ *busy, conn net.Conn) { _ = conn.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBusy(t, 1)
			conn := b.fill(t)
			if resp, _ := b.ask(t, "GET", "/quick"); resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("while it lasts: %d", resp.StatusCode)
			}
			tt.end(b, conn)
			b.idle(t)
			if resp, _ := b.ask(t, "GET", "/quick"); resp.StatusCode != http.StatusOK {
				t.Errorf("after that: %d", resp.StatusCode)
			}
		})
	}
}

func TestASocketTakesAPlaceForItsHandshakeAlone(t *testing.T) {
	t.Parallel()
	const upgrade = "GET /socket HTTP/1.1\r\nHost: bff\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"
	b := newBusy(t, 1)
	b.start(t, upgrade)
	await(t, b.entered)
	if resp, _ := b.ask(t, "GET", "/quick"); resp.StatusCode != http.StatusOK {
		t.Errorf("beside an open socket: %d", resp.StatusCode)
	}
	conn := b.fill(t)
	if resp, _ := b.send(t, "GET", upgrade); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a handshake when there is no place: %d", resp.StatusCode)
	}
	_ = conn.Close()
	b.idle(t)
	close(b.release) // and the end of a socket gives no place back
	if resp, _ := b.ask(t, "GET", "/quick"); resp.StatusCode != http.StatusOK || !strings.Contains(b.metrics(t), "\nhttp_requests_in_flight 0\n") {
		t.Errorf("after it all: %d", resp.StatusCode)
	}
}

func TestOneCallersFloodLeavesRoomForAnother(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 4)
	ask := func(token, address string) int {
		resp, _ := b.ask(t, "GET", "/quick", "Authorization: Bearer "+token, "X-Forwarded-For: "+address)
		return resp.StatusCode
	}
	held := func(token, address string) {
		b.start(t, "GET /user/held HTTP/1.1\r\nHost: bff\r\nAuthorization: Bearer "+token+"\r\nX-Forwarded-For: "+address+"\r\n\r\n")
	}
	for _, token := range []string{"eve-1", "eve-2", "ada-1"} { // each is accepted once
		held(token, "203.0.113.1")
		await(t, b.entered)
		b.release <- struct{}{}
		b.idle(t)
	}
	held("eve-1", "203.0.113.1")
	held("eve-2", "203.0.113.2")
	await(t, b.entered)
	await(t, b.entered)
	if got := ask("eve-1", "203.0.113.3"); got != http.StatusServiceUnavailable {
		t.Errorf("eve has half already: %d", got)
	}
	if got := ask("ada-1", "203.0.113.1"); got != http.StatusOK {
		t.Errorf("ada, at the address of eve: %d", got)
	}
	if got := ask("stranger", "203.0.113.1"); got != http.StatusOK {
		t.Errorf("a stranger: %d", got)
	}
}

func TestStrangersCountByTheAddressOfTheClient(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 4)
	for _, junk := range []string{"1", "2"} {
		b.start(t, "GET /held HTTP/1.1\r\nHost: bff\r\nAuthorization: Bearer "+junk+"\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n")
		await(t, b.entered)
	}
	for address, want := range map[string]int{"203.0.113.1": http.StatusServiceUnavailable, "203.0.113.2": http.StatusOK} {
		if resp, _ := b.ask(t, "GET", "/quick", "Authorization: Bearer 3", "X-Forwarded-For: "+address); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", address, resp.StatusCode, want)
		}
	}
}

func TestOnlyOnePathCanBeNeverShed(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/things/:id", "/assets/*"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s may be never shed", path)
				}
			}()
			web.New(web.Config{}, tel).GET(path, ok).NeverShed()
		}()
	}
}

func TestWhoIsTurnedAwayDoesNotHaveToSendABodyFirst(t *testing.T) {
	t.Parallel()
	b := newBusy(t, 1)
	b.fill(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, b.url+"/quick", endless{ctx})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: the body is waited for: %v", method, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: status = %d", method, resp.StatusCode)
		}
	}
}
