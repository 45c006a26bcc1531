package orders_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/orders"
	"bff.internal/mockservices/token"
)

func TestMain(m *testing.M) {
	redis.SetLogger(&logging.VoidLogger{})
	goleak.VerifyTestMain(m)
}

// told is an Order Service that tells a Redis about changes.
type told struct {
	world *standintest.World
	api   *standintest.Client
	redis *miniredis.Miniredis
	log   *lines
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newTold(t *testing.T) told {
	t.Helper()
	tt := told{world: standintest.New(t), redis: miniredis.RunT(t), log: &lines{}}
	changes, err := orders.OpenChanges("redis://"+tt.redis.Addr(), slog.New(slog.NewTextHandler(tt.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := changes.Close(); err != nil {
			t.Error(err)
		}
	})
	tt.api = standintest.Serve(t, orders.New(orders.Config{Verifier: token.NewVerifier(tt.world.Trusted), Today: today(), Changes: changes}))
	return tt
}

// entries is the stream, "user: order" each.
func (tt told) entries(t *testing.T) []string {
	t.Helper()
	if !tt.redis.Exists(orders.Stream) {
		return nil
	}
	stream, err := tt.redis.Stream(orders.Stream)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range stream {
		if len(entry.Values) != 4 || entry.Values[0] != "user" || entry.Values[2] != "order" {
			t.Fatalf("entry %v", entry.Values)
		}
		all = append(all, entry.Values[1]+": "+entry.Values[3])
	}
	return all
}

func TestEveryChangeOfAUsersOrderIsTold(t *testing.T) {
	t.Parallel()
	tt := newTold(t)
	ada, company := tt.world.Mobile(t, "ada"), tt.world.Partner(t)

	placed := place(t, tt.api, ada, "k", mug)
	place(t, tt.api, ada, "k", mug)                                      // known
	place(t, tt.api, ada, "k", `{"items":[]}`)                           // refused
	place(t, tt.api, ada, "k", strings.Replace(mug, "2", "3", 1))        // refused
	place(t, tt.api, ada, "", `{"items":[{"sku":"none","quantity":1}]}`) // refused
	cancelled := cancel(t, tt.api, ada, decode[order](t, placed.Body).ID)
	cancel(t, tt.api, ada, decode[order](t, placed.Body).ID) // refused
	tt.api.Do(t, standintest.Request{
		Method: http.MethodPost, Path: "/orders?partner=acme", Token: company, Body: mug,
		Header: map[string]string{"Content-Type": "application/json"},
	})
	other := place(t, tt.api, tt.world.Mobile(t, "grace"), "", mug)

	want := []string{"ada: " + placed.Body, "ada: " + cancelled.Body, "grace: " + other.Body}
	if diff := cmp.Diff(want, tt.entries(t)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if tt.log.String() != "" {
		t.Errorf("log: %s", tt.log)
	}
}

func TestOrdersDoNotNeedRedis(t *testing.T) {
	t.Parallel()
	tt := newTold(t)
	ada := tt.world.Mobile(t, "ada")
	tt.redis.Close()
	var want []string
	for range 3 {
		began := time.Now()
		got := place(t, tt.api, ada, "", mug)
		if took := time.Since(began); got.Status != http.StatusCreated || took > time.Second {
			t.Errorf("without Redis: %d after %v", got.Status, took)
		}
		want = append(want, "ada: "+got.Body)
	}
	if err := tt.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	want = append(want, "ada: "+place(t, tt.api, ada, "", mug).Body)
	if diff := cmp.Diff(want, tt.entries(t)); diff != "" {
		t.Errorf("told later (-want +got):\n%s", diff)
	}
	if text := tt.log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "lost=0") {
		t.Errorf("log:\n%s", text)
	}
}

func TestOnlyTheNewestChangesWait(t *testing.T) {
	t.Parallel()
	tt := newTold(t)
	tt.redis.Close()
	ada := tt.world.Mobile(t, "ada")
	for range 1005 {
		place(t, tt.api, ada, "", mug)
	}
	if err := tt.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	var last string
	for deadline := time.Now().Add(10 * time.Second); len(tt.entries(t)) == 0 && time.Now().Before(deadline); {
		last = place(t, tt.api, ada, "", mug).Body // go-redis dials again within a second
		time.Sleep(10 * time.Millisecond)
	}
	all := tt.entries(t)
	if len(all) != 1000 || all[999] != "ada: "+last {
		t.Errorf("%d were told, log:\n%s", len(all), tt.log)
	}
}

func TestChangesMadeAtOnceAreAllTold(t *testing.T) {
	t.Parallel()
	tt := newTold(t)
	var writing sync.WaitGroup
	for i := range 50 {
		user := tt.world.Mobile(t, fmt.Sprint("user-", i))
		writing.Go(func() { place(t, tt.api, user, "", mug) })
	}
	writing.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for len(tt.entries(t)) < 50 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if n := len(tt.entries(t)); n != 50 {
		t.Errorf("%d of 50 were told", n)
	}
}

func TestAURLThatIsNoneIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"hunter2", "http://hunter2@localhost", "redis://:hunter2@localhost:x"} {
		if _, err := orders.OpenChanges(url, slog.Default()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
