package fault_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestHangEndsWhenTheClientLeaves needs a network: net/http notices that a client left only once the body was read.
func TestHangEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	s := newService()
	s.put(t, `{"hang":true}`)
	came, left := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(came)
		s.handler.ServeHTTP(w, r)
		close(left)
	}))
	t.Cleanup(server.Close)

	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	var client sync.WaitGroup
	client.Go(func() {
		if response, err := http.DefaultClient.Do(r); err == nil {
			t.Errorf("the request was answered %d, %v", response.StatusCode, response.Body.Close())
		}
	})
	<-came
	leave()
	client.Wait()
	<-left
}
