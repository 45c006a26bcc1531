package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"bff.internal/shared/realtime"
)

const (
	stream = "orders:changes"
	group  = "bff-web"
)

// How soon consumers take entries from each other: when one of them dies, and else.
const impatient, patient = 300 * time.Millisecond, time.Minute

// handled counts how often each entry was handled.
type handled struct {
	mu    sync.Mutex
	times map[string]int
	order []string
}

func (h *handled) add(values map[string]any) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.times == nil {
		h.times = make(map[string]int)
	}
	n := fmt.Sprint(values["n"])
	h.times[n]++
	h.order = append(h.order, n)
	return h.times[n]
}

func (h *handled) entries() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.times)
}

func (h *handled) inOrder() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.order, " ")
}

type handler = func(context.Context, string, map[string]any) error

// consumer starts a consumer, and returns its log and what stops it and waits.
func consumer(tb testing.TB, client redis.UniversalClient, name string, patience time.Duration, handle handler) (log *lines, stop func()) {
	tb.Helper()
	log = &lines{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		realtime.ConsumeWith(ctx, realtime.Consumer{
			Redis: client, Stream: stream, Group: group, Name: name, Log: slog.New(slog.NewTextHandler(log, nil)),
		}, patience, handle)
	}()
	stop = func() { cancel(); <-done }
	tb.Cleanup(stop)
	eventually(tb, "the group exists", func() bool {
		groups, err := client.XInfoGroups(tb.Context(), stream).Result()
		return err == nil && len(groups) == 1
	})
	return log, stop
}

func clientOf(tb testing.TB, addr string) redis.UniversalClient {
	tb.Helper()
	client := redisClient(addr)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// say appends the numbers to the stream.
func say(tb testing.TB, client redis.UniversalClient, from, to int) {
	tb.Helper()
	for n := from; n < to; n++ {
		if err := client.XAdd(tb.Context(), &redis.XAddArgs{Stream: stream, Values: []string{"n", strconv.Itoa(n)}}).Err(); err != nil {
			tb.Fatal(err)
		}
	}
}

// owed is how many entries of the group are not acknowledged.
func owed(tb testing.TB, client redis.UniversalClient) int64 {
	tb.Helper()
	pending, err := client.XPending(tb.Context(), stream, group).Result()
	if err != nil {
		tb.Fatal(err)
	}
	return pending.Count
}

func names(tb testing.TB, client redis.UniversalClient) string {
	tb.Helper()
	consumers, err := client.XInfoConsumers(tb.Context(), stream, group).Result()
	if err != nil {
		tb.Fatal(err)
	}
	var all []string
	for _, c := range consumers {
		all = append(all, c.Name)
	}
	return strings.Join(all, " ")
}

func TestEveryEntryIsHandledByOneConsumer(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t).Addr()
	client := clientOf(t, redis)
	say(t, client, -5, 0) // before anybody listens
	var all, first, second handled
	_, stopFirst := consumer(t, client, "first", patient, func(_ context.Context, _ string, values map[string]any) error {
		first.add(values)
		all.add(values)
		return nil
	})
	_, stopSecond := consumer(t, clientOf(t, redis), "second", patient, func(_ context.Context, _ string, values map[string]any) error {
		second.add(values)
		all.add(values)
		return nil
	})
	say(t, client, 0, 500)
	eventually(t, "everything is handled", func() bool { return all.entries() >= 500 && owed(t, client) == 0 })
	for n := range 500 {
		if times := all.times[strconv.Itoa(n)]; times != 1 {
			t.Errorf("entry %d was handled %d times", n, times)
		}
	}
	if all.entries() != 500 || first.entries() == 0 || second.entries() == 0 {
		t.Errorf("%d entries: %d and %d", all.entries(), first.entries(), second.entries())
	}
	stopFirst()
	if got := names(t, client); got != "second" {
		t.Errorf("when the first has left there are: %s", got)
	}
	stopSecond()
}

func TestAnEntryIsHandedOverUntilItIsHandled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fails func(times int) error // of entry 1
		order string
		logs  string
	}{
		{
			"what fails is repeated, and what follows waits",
			func(times int) error {
				if times < 3 {
					return errors.New("not now")
				}
				return nil
			},
			"0 1 1 1 2 3", "not now",
		},
		{"poison is left", func(int) error { return fmt.Errorf("%w: no order", realtime.ErrPoison) }, "0 1 2 3", "no order"},
		{"a panic is poison", func(int) error { panic("nil map") }, "0 1 2 3", "nil map"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, miniredis.RunT(t).Addr())
			var all handled
			log, stop := consumer(t, client, "one", patient, func(_ context.Context, id string, values map[string]any) error {
				if !strings.Contains(id, "-") {
					t.Errorf("id %q", id)
				}
				if times := all.add(values); values["n"] == "1" {
					return tt.fails(times)
				}
				return nil
			})
			say(t, client, 0, 4)
			eventually(t, "everything is done", func() bool { return all.entries() == 4 && owed(t, client) == 0 })
			stop()
			if got := all.inOrder(); got != tt.order {
				t.Errorf("handled: %s, want %s", got, tt.order)
			}
			if text := log.String(); strings.Count(text, tt.logs) != 1 {
				t.Errorf("the log does not say %q once:\n%s", tt.logs, text)
			}
		})
	}
}

func TestTheEntriesOfADeadConsumerAreTakenOver(t *testing.T) {
	t.Parallel()
	addr := miniredis.RunT(t).Addr()
	client := clientOf(t, addr)
	takeOver(t, client, clientOf(t, addr))
}

// takeOver has a consumer die with entries in its hands, and another one that finishes them.
func takeOver(t *testing.T, client, doomed redis.UniversalClient) {
	t.Helper()
	var all handled
	dying := make(chan struct{})
	var once sync.Once
	_, stop := consumer(t, doomed, "doomed", patient, func(_ context.Context, _ string, values map[string]any) error {
		if all.entries() >= 100 {
			once.Do(func() {
				_ = doomed.Close() // what it handles now, it can never acknowledge
				close(dying)
			})
			return errors.New("dead")
		}
		all.add(values)
		return nil
	})
	say(t, client, 0, 300)
	<-dying
	stop()
	consumer(t, client, "heir", impatient, func(_ context.Context, _ string, values map[string]any) error {
		all.add(values)
		return nil
	})
	say(t, client, 300, 500)
	eventually(t, "everything is handled", func() bool { return all.entries() == 500 && owed(t, client) == 0 })
	for n := range 500 {
		if times := all.times[strconv.Itoa(n)]; times != 1 {
			t.Errorf("entry %d was handled %d times", n, times)
		}
	}
}

func TestConsumeWantsAllItNeeds(t *testing.T) {
	t.Parallel()
	if err := realtime.Consume(t.Context(), realtime.Consumer{Stream: stream}, nil); err == nil {
		t.Error("no error")
	}
}
