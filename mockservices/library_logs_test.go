package main

import (
	"bytes"
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestWhatLibrariesSayIsOfTheLog(t *testing.T) { //nolint:paralleltest // libraries have one log for the whole process
	before := slog.Default()
	t.Cleanup(func() {
		adoptLogs(before)
		log.SetOutput(os.Stderr)
	})
	var said bytes.Buffer
	adoptLogs(slog.New(slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))

	away := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	if err := away.Ping(t.Context()).Err(); err == nil {
		t.Fatal("Redis is not away")
	}
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	slog.Warn("of the OpenID library")
	levels := map[string]string{}
	for line := range strings.Lines(said.String()) {
		var entry struct{ Msg, Level string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		levels[entry.Msg] = entry.Level
	}
	if levels["redis client"] != "DEBUG" || levels["of the OpenID library"] != "WARN" {
		t.Errorf("the log:\n%s", &said)
	}
}
