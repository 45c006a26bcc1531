package web_test

import (
	"io"
	"net/http"
	"testing"
)

func TestCodings(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	const trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" // which problems tell
	for _, tt := range []struct {
		name, target string
		accept       []string
		coding       string
	}{
		{"none is asked for", "/html", nil, ""},
		{"gzip", "/html", []string{"gzip"}, "gzip"},
		{"zstd", "/html", []string{"zstd"}, "zstd"},
		{"what browsers send", "/html", []string{"gzip, deflate, br, zstd"}, "zstd"},
		{"what phones send", "/html", []string{"gzip;q=1.0, compress;q=0.5"}, "gzip"},
		{"gzip is preferred", "/html", []string{"zstd;q=0.5, gzip;q=0.8"}, "gzip"},
		{"zstd is preferred", "/html", []string{"gzip;q=0.5, zstd;q=0.8"}, "zstd"},
		{"both alike", "/html", []string{"gzip;q=0.5, zstd;q=0.5"}, "zstd"},
		{"zstd is refused", "/html", []string{"gzip, zstd;q=0"}, "gzip"},
		{"both are refused", "/html", []string{"gzip;q=0, zstd; q=0.0"}, ""},
		{"all are refused but one", "/html", []string{"*;q=0, gzip"}, "gzip"},
		{"whatever there is", "/html", []string{"*"}, ""},
		{"none that we know", "/html", []string{"br, deflate"}, ""},
		{"identity", "/html", []string{"identity"}, ""},
		{"nothing", "/html", []string{""}, ""},
		{"garbage", "/html", []string{";;q=,,x;gzip=1, ,"}, ""},
		{"in another case", "/html", []string{"GZip"}, "gzip"},
		{"in the second line", "/html", []string{"br", "gzip"}, "gzip"},
		{"refused in the second line", "/html", []string{"br", "gzip;q=0"}, ""},
		{"a contract", "/yaml", []string{"zstd"}, "zstd"},
		{"a type in another case", "/upper", []string{"zstd"}, "zstd"},
		{"JSON whose length is known", "/json", []string{"zstd"}, "zstd"},
		{"a problem", "/problem", []string{"gzip"}, "gzip"},
		{"a small problem", "/broken", []string{"gzip"}, ""},
		{"a panic", "/panic", []string{"zstd"}, ""},
		{"a picture", "/image", []string{"zstd, gzip"}, ""},
		{"one that is coded already", "/coded", []string{"zstd, gzip"}, "br"},
		{"one byte too small", "/255", []string{"zstd, gzip"}, ""},
		{"just large enough", "/256", []string{"zstd, gzip"}, "zstd"},
		{"no content", "/nothing", []string{"zstd, gzip"}, ""},
		{"a file", "/file", []string{"zstd, gzip"}, "zstd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plain, want := e.ask(t, "GET", tt.target, trace)
			headers := []string{trace}
			for _, line := range tt.accept {
				headers = append(headers, "Accept-Encoding: "+line)
			}
			resp, body := e.ask(t, "GET", tt.target, headers...)
			if got := resp.Header.Get("Content-Encoding"); got != tt.coding || resp.StatusCode != plain.StatusCode {
				t.Fatalf("%d in %q, want %d in %q", resp.StatusCode, got, plain.StatusCode, tt.coding)
			}
			if got := decode(t, tt.coding, body); got != want {
				t.Errorf("%d bytes, want the %d of an answer without a coding: %.80q", len(got), len(want), got)
			}
			if compressed := tt.coding == "gzip" || tt.coding == "zstd"; compressed && len(body) >= len(want) {
				t.Errorf("%d bytes have become %d", len(want), len(body))
			}
			if length := resp.ContentLength; length >= 0 && length != int64(len(body)) {
				t.Errorf("Content-Length = %d of %d bytes", length, len(body))
			}
			if plain.Header.Get("Content-Encoding") != "" && tt.coding != "br" {
				t.Errorf("coded though nobody asked: %v", plain.Header)
			}
			for _, answer := range []*http.Response{plain, resp} {
				if got := answer.Header.Values("Vary"); len(got) != 1 || got[0] != "Accept-Encoding" {
					t.Errorf("Vary = %q", got)
				}
			}
		})
	}
}

func TestWhatAsksForAnotherProtocolIsNotCompressed(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	resp, body := e.ask(t, "GET", "/html", "Accept-Encoding: gzip, zstd", "Upgrade: websocket")
	if resp.Header.Get("Content-Encoding") != "" || body != long {
		t.Errorf("%v, %d bytes", resp.Header, len(body))
	}
}

func TestTheLogCountsTheBytesThatWereSent(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	for _, coding := range codings() {
		_, body := e.ask(t, "GET", "/html", "X-Request-Id: "+coding, "Accept-Encoding: "+coding)
		if event := e.log.last(t, coding); event["bytes"] != float64(len(body)) || event["status"] != 200.0 {
			t.Errorf("%s: logged %v, sent %d", coding, event["bytes"], len(body))
		}
	}
}

func TestHEADSaysWhatGETWouldSay(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	const trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" // which problems tell
	for _, target := range []string{"/html", "/json", "/256", "/255", "/image", "/file", "/problem"} {
		for _, coding := range codings() {
			whole, _ := e.ask(t, "GET", target, trace, "Accept-Encoding: "+coding)
			resp, body := e.ask(t, "HEAD", target, trace, "Accept-Encoding: "+coding)
			if body != "" || resp.StatusCode != whole.StatusCode {
				t.Errorf("%s in %s: %d, %d bytes", target, coding, resp.StatusCode, len(body))
			}
			if got, want := resp.Header.Get("Content-Length"), whole.Header.Get("Content-Length"); got != want && got != "" {
				t.Errorf("%s in %s: Content-Length = %q, want %q or none", target, coding, got, want)
			}
			if target == "/file" {
				continue // its coding is known when it is written
			}
			for _, name := range []string{"Content-Encoding", "Content-Type", "Vary"} {
				if got, want := resp.Header.Get(name), whole.Header.Get(name); got != want {
					t.Errorf("%s in %s: %s = %q, want %q", target, coding, name, got, want)
				}
			}
		}
	}
}

func TestACompressedAnswerHasNoStrongTag(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	for coding, want := range map[string]string{"identity": `"1"`, "gzip": `W/"1"`, "zstd": `W/"1"`} {
		for _, target := range []string{"/tagged", "/tagged?known=1"} {
			resp, body := e.ask(t, "GET", target, "Accept-Encoding: "+coding)
			if got := resp.Header.Get("Etag"); got != want || resp.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s in %s: ETag = %q, want %q", target, coding, got, want)
			}
			if resp.StatusCode == http.StatusNotModified && (body != "" || resp.Header.Get("Content-Encoding") != "") {
				t.Errorf("304 with %v and %d bytes", resp.Header, len(body))
			}
		}
	}
}

func TestManyAnswersAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	e := newCodedEdge(t)
	bodies := make(chan string)
	const many = 64
	for i := range many {
		go func() {
			target := []string{"/html", "/panic", "/256", "/half/large"}[i%4]
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+target, http.NoBody)
			if err != nil {
				t.Error(err)
			}
			resp, err := http.DefaultTransport.RoundTrip(req) // asks for gzip, and takes it off
			if err != nil {
				bodies <- ""
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				body = nil
			}
			bodies <- string(body)
		}()
	}
	got := map[string]int{}
	for range many {
		got[<-bodies]++
	}
	if len(got) != 3 || got[long] != many/4 || got[long[:256]] != many/4 || got[""] != many/2 {
		t.Errorf("%d different answers", len(got))
	}
}
