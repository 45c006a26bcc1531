//go:build unix

package realtime_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"bff.internal/shared/platform/redistest"
)

func TestTheEntriesOfADeadConsumerAreTakenOverInRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	takeOver(t, clientOf(t, redis.Addr()), clientOf(t, redis.Addr()))
}

func TestAnEntryThatTheStreamHasDroppedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	client := clientOf(t, redistest.Start(t).Addr())
	var all handled
	log, _ := consumer(t, client, "one", patient, func(ctx context.Context, id string, values map[string]any) error {
		if all.add(values) == 1 && values["n"] == "0" {
			if err := client.XDel(ctx, stream, id).Err(); err != nil {
				t.Error(err)
			}
			return errors.New("not now")
		}
		return nil
	})
	say(t, client, 0, 2)
	eventually(t, "the rest is handled", func() bool { return all.entries() == 2 && owed(t, client) == 0 })
	eventually(t, "it is logged", func() bool { return strings.Contains(log.String(), "dropped") })
}

func TestConsumingGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		away, back func(*testing.T, *redistest.Server)
	}{
		{
			"Redis hangs for a while",
			func(_ *testing.T, redis *redistest.Server) { redis.Freeze() },
			func(_ *testing.T, redis *redistest.Server) { redis.Thaw() },
		},
		{
			"Redis comes back without anything",
			func(_ *testing.T, redis *redistest.Server) { redis.Stop() },
			func(_ *testing.T, redis *redistest.Server) { redis.Restart() },
		},
		{
			"somebody deletes the stream",
			func(t *testing.T, redis *redistest.Server) {
				t.Helper()
				clientOf(t, redis.Addr()).Del(t.Context(), stream)
			},
			func(*testing.T, *redistest.Server) {},
		},
		{
			"somebody deletes the group",
			func(t *testing.T, redis *redistest.Server) {
				t.Helper()
				clientOf(t, redis.Addr()).XGroupDestroy(t.Context(), stream, group)
			},
			func(*testing.T, *redistest.Server) {},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			client := clientOf(t, redis.Addr())
			var all handled
			log, stop := consumer(t, client, "one", patient, func(_ context.Context, _ string, values map[string]any) error {
				all.add(values)
				return nil
			})
			say(t, client, 0, 10)
			eventually(t, "they are handled", func() bool { return all.entries() == 10 })
			tt.away(t, redis)
			eventually(t, "it is noticed", func() bool { return strings.Contains(log.String(), "reading fails") })
			tt.back(t, redis)
			eventually(t, "Redis takes entries", func() bool { return client.Ping(t.Context()).Err() == nil })
			say(t, client, 10, 20)
			eventually(t, "those that follow are handled too", func() bool { return all.entries() == 20 })
			stop()
			for n := range 20 {
				if times := all.times[strconv.Itoa(n)]; times != 1 {
					t.Errorf("entry %d was handled %d times", n, times)
				}
			}
			for _, once := range []string{"reading fails", "reading works again"} {
				if text := log.String(); strings.Count(text, once) != 1 || strings.Count(text, "\n") > 4 {
					t.Errorf("the log of one outage:\n%s", text)
				}
			}
		})
	}
}
