package platform_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestALongTokenReachesTheHandler(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 9<<10)
	r := serve(t, testConfig(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.Header.Get("Authorization")))
	}))
	request, err := http.NewRequest(http.MethodGet, "http://"+r.public, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", long)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	if string(body) != strconv.Itoa(len(long)) {
		t.Errorf("the handler has seen %s bytes of a header of %d", body, len(long))
	}
}

func TestAStreamWhoseReaderStopsIsCut(t *testing.T) {
	t.Parallel()
	type end struct {
		took time.Duration
		err  error
	}
	ends := make(chan end, 1)
	r := serve(t, testConfig(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		err := http.NewResponseController(w).SetWriteDeadline(time.Time{}) // as a stream does
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		ends <- end{took: time.Since(began), err: err}
	}))
	if _, err := io.WriteString(dial(t, r.public), "GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-ends; !errors.Is(got.err, os.ErrDeadlineExceeded) || got.took > 10*time.Second {
		t.Errorf("cut after %v with %v, want at most 10s and a timeout", got.took, got.err)
	}
}

func TestWhatNetHTTPSaysIsALineOfTheLog(t *testing.T) {
	t.Parallel()
	r := serve(t, testConfig(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") }))
	if _, _, err := get(r.public, "/"); err == nil {
		t.Error("a handler that panics has answered")
	}
	said := r.log.entries(t, "http server")
	if len(said) != 1 || said[0]["level"] != "WARN" || !strings.Contains(fmt.Sprint(said[0]["detail"]), "a bug") {
		t.Errorf("the log has %v, want one warning with the panic", said)
	}
}

func TestAServiceCanBeStartedMoreThanOnceInAProcess(t *testing.T) {
	t.Parallel()
	var services []*running
	for range 3 {
		services = append(services, serve(t, testConfig(), newHeld(true)))
	}
	for _, r := range services {
		if _, body, err := get(r.public, "/"); err != nil || body != "ok" {
			t.Errorf("%s: %q, %v", r.public, body, err)
		}
	}
}
