package mobile_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// fault is a way in which a replica treats whoever asks it.
type fault struct {
	name string
	// connects is what happens to whoever wants a connection.
	connects connects
	// unread says that connections are broken before anything is read from them.
	unread bool
	// begins is what happens to the connections that there are when the phase begins.
	begins breaking
	// serve answers one request, and reports whether the connection goes on. It is nil where none is answered.
	serve func(x *exchange) bool
	// reason is what a section is missing for when this was its last answer; "" where it is not missing.
	reason string
}

type connects int

const (
	accepted connects = iota
	refused           // at once
	ignored           // which the one who wants to connect notices after some time
)

type breaking int

const (
	breaksNone breaking = iota
	breaksIdle
	breaksAll
)

// closes answers, and ends the connection unsaid, on which others may already wait for their turn.
func closes(x *exchange) bool {
	whole(x)
	x.replica.service.broken.Add(1)
	return false
}

var healthy = fault{name: "well", serve: whole}

var faults = []fault{
	{name: "slow", serve: whole},
	{name: "restarted", begins: breaksAll, serve: whole},
	{name: "closes idle connections", begins: breaksIdle, serve: whole},
	{name: "closes after each answer", serve: closes},
	{name: "says that it closes", serve: func(x *exchange) bool { x.answer(200, "Connection: close\r\n", x.value()); return false }},
	{name: "hangs", serve: hangs, reason: "timeout"},
	{name: "dead", connects: refused, begins: breaksAll, unread: true, reason: "refused"},
	{name: "unreachable", connects: ignored, serve: hangs, reason: "refused"},
	{name: "resets unread", unread: true, reason: "bad_answer"},
	{name: "resets", serve: resets, reason: "bad_answer"},
	{name: "resets in the header", serve: func(x *exchange) bool { x.say("HTTP/1.1 200 OK\r\nContent-"); return resets(x) }, reason: "bad_answer"},
	{name: "resets in the body", serve: func(x *exchange) bool { x.head("200 OK", 500, ""); x.say(`{"id":`); return resets(x) }, reason: "bad_answer"},
	{name: "ends in the body", serve: func(x *exchange) bool { x.head("200 OK", 500, ""); x.say(`{"id":`); return false }, reason: "bad_answer"},
	{name: "500", serve: status(500, ""), reason: "bad_answer"},
	{name: "500 without the body", serve: func(x *exchange) bool { x.head("500 Oops", 100, ""); return hangs(x) }, reason: "bad_answer"},
	{name: "502", serve: status(502, ""), reason: "bad_answer"},
	{name: "503", serve: status(503, ""), reason: "bad_answer"},
	{name: "503 for a moment", serve: status(503, "Retry-After: 0\r\n"), reason: "bad_answer"},
	{name: "503 for a second", serve: status(503, "Retry-After: 1\r\n"), reason: "bad_answer"},
	{name: "504", serve: status(504, ""), reason: "bad_answer"},
	{name: "429", serve: status(429, "Retry-After: 1\r\n"), reason: "shed"},
	{name: "404", serve: status(404, ""), reason: "denied"},
	{name: "401", serve: status(401, ""), reason: "denied"},
	{name: "403", serve: status(403, ""), reason: "denied"},
	{name: "redirects", serve: status(302, "Location: http://elsewhere.test/\r\n"), reason: "bad_answer"},
	{name: "204", serve: func(x *exchange) bool { return x.say("HTTP/1.1 204 No Content\r\n\r\n") }, reason: "bad_answer"},
	{name: "garbage", serve: func(x *exchange) bool { x.say("\x16\x03\x01 no HTTP\r\n\r\n"); return false }, reason: "bad_answer"},
	{name: "HTML", serve: func(x *exchange) bool { return x.say(withType("text/html", "<p>Hello</p>")) }, reason: "bad_answer"},
	{name: "no JSON", serve: func(x *exchange) bool { return x.answer(200, "", `{"id":}`) }, reason: "bad_answer"},
	{name: "another JSON", serve: func(x *exchange) bool { return x.answer(200, "", `[]`) }, reason: "bad_answer"},
	{name: "compressed", serve: func(x *exchange) bool { return x.answer(200, "Content-Encoding: gzip\r\n", x.value()) }, reason: "bad_answer"},
	{name: "announces too much", serve: func(x *exchange) bool { x.head("200 OK", 1<<30, ""); return hangs(x) }, reason: "bad_answer"},
	{name: "endless body", serve: endlessBody, reason: "bad_answer"},
	{name: "endless header", serve: endlessHeader, reason: "bad_answer"},
	{name: "trickles", serve: trickles, reason: "timeout"},
	{name: "only hints", serve: func(x *exchange) bool { x.say("HTTP/1.1 103 Early Hints\r\n\r\n"); return hangs(x) }, reason: "timeout"},
	{name: "hints first", serve: func(x *exchange) bool { x.say("HTTP/1.1 103 Early Hints\r\n\r\n"); return whole(x) }},
	{name: "only the header", serve: func(x *exchange) bool { x.head("200 OK", 100, ""); return hangs(x) }, reason: "timeout"},
}

func whole(x *exchange) bool { return x.answer(http.StatusOK, "", x.value()) }

func hangs(x *exchange) bool {
	for x.pass(time.Minute) {
	}
	return false
}

func resets(x *exchange) bool {
	x.conn.reset()
	return false
}

func status(code int, header string) func(*exchange) bool {
	return func(x *exchange) bool { return x.answer(code, header, `{"detail":"no"}`) }
}

func withType(contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", contentType, len(body), body)
}

func endlessBody(x *exchange) bool {
	if !x.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n") {
		return false
	}
	const length = 16 << 10
	for part := fmt.Sprintf("%x\r\n%s\r\n", length, strings.Repeat(" ", length)); x.say(part); {
	}
	return false
}

func endlessHeader(x *exchange) bool {
	x.say("HTTP/1.1 200 OK\r\n")
	for part := "X-More: " + strings.Repeat("x", 4<<10) + "\r\n"; x.say(part); {
	}
	return false
}

// trickles sends a byte at a time, more slowly than anybody waits.
func trickles(x *exchange) bool {
	body := x.value()
	x.head("200 OK", len(body), "")
	for i := range len(body) {
		if !x.pass(30*time.Millisecond) || !x.say(body[i:i+1]) {
			return false
		}
	}
	return true
}
