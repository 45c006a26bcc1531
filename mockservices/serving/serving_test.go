package serving_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bff.internal/mockservices/serving"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// hanging answers a request when its context ends, and says on its channel when one has come.
type hanging chan struct{}

func (h hanging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h <- struct{}{}
	<-r.Context().Done()
	w.WriteHeader(http.StatusServiceUnavailable)
}

// get asks for url on a connection of its own.
func get(t *testing.T, url string) (status int, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func TestStopReleasesWhatHangs(t *testing.T) {
	t.Parallel()
	handler := make(hanging)
	server, err := serving.Start(nil, serving.Service{Name: "stuck", Address: "127.0.0.1:0", Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	var client sync.WaitGroup
	client.Go(func() {
		if status, err := get(t, server.URL()); status != http.StatusServiceUnavailable {
			t.Errorf("the request that hung got %d, %v", status, err)
		}
	})
	<-handler
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Error("stopping took all the time there was")
	}
	client.Wait()
	if _, err := get(t, server.URL()); err == nil {
		t.Error("it still listens")
	}
	if err := server.Stop(ctx); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestStopClosesWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	came, left := make(chan struct{}), make(chan struct{})
	stubborn := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(came)
		<-left
	})
	server, err := serving.Start(nil, serving.Service{Name: "stubborn", Address: "127.0.0.1:0", Handler: stubborn})
	if err != nil {
		t.Fatal(err)
	}
	var client sync.WaitGroup
	client.Go(func() {
		if status, err := get(t, server.URL()); err == nil {
			t.Errorf("the request was answered %d", status)
		}
	})
	<-came
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
	client.Wait()
	close(left)
}

func TestABusyPortSaysWhatToChange(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	address := listener.Addr().String()
	services := []serving.Service{
		{Name: "first", Address: "127.0.0.1:0", Handler: http.NotFoundHandler()},
		{Name: "users", Address: address, Variable: "USERS_ADDR", Handler: http.NotFoundHandler()},
	}
	err = serving.Run(t.Context(), slog.New(slog.DiscardHandler), services)
	want := fmt.Sprintf("users: %s is in use: stop what listens there, or set USERS_ADDR", address)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRunServesUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			lines, out := io.Pipe()
			log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
			var failure error
			var running sync.WaitGroup
			running.Go(func() {
				failure = serving.Run(ctx, log, []serving.Service{{Name: "some", Address: "127.0.0.1:0", Handler: http.NotFoundHandler()}})
				if err := out.Close(); err != nil {
					t.Error(err)
				}
			})
			var logged bytes.Buffer
			buffer := make([]byte, 4096)
			n, err := lines.Read(buffer) // the line that it listens
			if err != nil {
				t.Fatal(err)
			}
			logged.Write(buffer[:n])
			var rest sync.WaitGroup
			rest.Go(func() {
				if _, err := io.Copy(&logged, lines); err != nil {
					t.Error(err)
				}
			})
			_, url, _ := strings.Cut(strings.TrimSpace(string(buffer[:n])), "url=")
			if status, err := get(t, url+"/x"); status != http.StatusNotFound {
				t.Errorf("%s answers %d, %v", url, status, err)
			}
			cancel()
			running.Wait()
			rest.Wait()
			if failure != nil {
				t.Error(failure)
			}
			want := map[string]bool{"msg=listening": true, "msg=stopped": true, "msg=request": level == slog.LevelDebug}
			for text, there := range want {
				if strings.Contains(logged.String(), text) != there {
					t.Errorf("at %v, %q is there: %v\n%s", level, text, !there, logged.String())
				}
			}
		})
	}
}
