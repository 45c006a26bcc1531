package ratelimit_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/platform"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/telemetry"
)

func TestTheEnvironmentSaysTheLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		environ []string
		want    ratelimit.Limit
		wrong   []string // how the lines begin
	}{
		{"by default ten a second", nil, usual(), nil},
		{"another one", []string{"RATE_LIMIT=7/90s", "RATE_BURST=5"}, ratelimit.Limit{Requests: 7, Per: 90 * time.Second, Burst: 5}, nil},
		{"with spaces", []string{"RATE_LIMIT= 7 / 24h "}, ratelimit.Limit{}, []string{`RATE_BURST: 100 takes more than 24h to come back; wants at most 7 where RATE_LIMIT is 7/24h`}},
		{"as much as there can be", []string{"RATE_LIMIT=1000000/24h", "RATE_BURST=100000"}, ratelimit.Limit{Requests: 1_000_000, Per: 24 * time.Hour, Burst: 100_000}, nil},
		{"no time", []string{"RATE_LIMIT=600"}, ratelimit.Limit{}, []string{`RATE_LIMIT: "600" is no rate; wants how many`}},
		{"a unit alone", []string{"RATE_LIMIT=600/m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: "600/m" is no rate; wants`}},
		{"no number", []string{"RATE_LIMIT=many/1m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: "many/1m" is no rate; wants`}},
		{"two times", []string{"RATE_LIMIT=6/1m/1s"}, ratelimit.Limit{}, []string{`RATE_LIMIT: "6/1m/1s" is no rate; wants`}},
		{"no requests", []string{"RATE_LIMIT=0/1m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 0/1m has too few or too many requests; wants 1 to 1000000 of them`}},
		{"too many requests", []string{"RATE_LIMIT=1000001/1m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 1000001/1m has too few`}},
		{"negative requests", []string{"RATE_LIMIT=-1/1m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: -1/1m has too few`}},
		{"a time that is too short", []string{"RATE_LIMIT=1/100ms"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 1/100ms is over no time that can be counted; wants whole seconds from 1s to 24h`}},
		{"a time that is too long", []string{"RATE_LIMIT=1/24h0m1s"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 1/24h0m1s is over no time`}},
		{"a time of no whole seconds", []string{"RATE_LIMIT=1/1500ms"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 1/1.5s is over no time`}},
		{"a negative time", []string{"RATE_LIMIT=1/-1m"}, ratelimit.Limit{}, []string{`RATE_LIMIT: 1/-1m is over no time`}},
		{"no burst", []string{"RATE_BURST=-1"}, ratelimit.Limit{}, []string{`RATE_BURST: -1 is out of range; wants requests, from 1 to 100000`}},
		{"too much of it", []string{"RATE_BURST=100001"}, ratelimit.Limit{}, []string{`RATE_BURST: 100001 is out of range`}},
		{"both wrong", []string{"RATE_LIMIT=0/1m", "RATE_BURST=-1"}, ratelimit.Limit{}, []string{"RATE_LIMIT: 0/1m", "RATE_BURST: -1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var cfg ratelimit.Config
			err := platform.Load(&cfg, tt.environ)
			if tt.wrong == nil {
				if err != nil || cfg.Limit() != tt.want {
					t.Errorf("%+v, %v", cfg.Limit(), err)
				}
				return
			}
			if err == nil {
				t.Fatalf("%+v is accepted", cfg)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.wrong) {
				t.Fatalf("%d lines: %v", len(lines), err)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, tt.wrong[i]) {
					t.Errorf("%s\nwant %s", line, tt.wrong[i])
				}
			}
		})
	}
}

func TestALimiterIsNotMadeOfAnything(t *testing.T) {
	t.Parallel()
	client, _ := faulty(t, nowhere)
	for _, tt := range []struct {
		name   string
		change func(*ratelimit.Options)
	}{
		{"no limit", func(o *ratelimit.Options) { o.Limit = ratelimit.Limit{} }},
		{"a limit whose numbers would not be whole", func(o *ratelimit.Options) { o.Limit.Per, o.Limit.Burst = 1000*time.Hour, 100_000 }},
		{"no name", func(o *ratelimit.Options) { o.Name = "" }},
		{"a name that ends a key", func(o *ratelimit.Options) { o.Name = "a:{b}" }},
		{"a name that ends a string", func(o *ratelimit.Options) { o.Name = `a"` }},
		{"no redis", func(o *ratelimit.Options) { o.Redis = nil }},
		{"no replicas", func(o *ratelimit.Options) { o.Replicas = nil }},
		{"no log", func(o *ratelimit.Options) { o.Log = nil }},
		{"no metrics", func(o *ratelimit.Options) { o.Metrics = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			options := ratelimit.Options{
				Name: "partner", Limit: usual(), Redis: client, Replicas: func() int { return 1 },
				Log: slog.New(slog.DiscardHandler), Metrics: telemetry.NewMetrics(),
			}
			ratelimit.New(options)
			tt.change(&options)
			defer func() {
				if recover() == nil {
					t.Error("it is made")
				}
			}()
			ratelimit.New(options)
		})
	}
}

func FuzzRate(f *testing.F) {
	for _, text := range []string{"600/1m", "7/24h", "1/1h0m5s", "-1/1m", "1/m", "/", "1/1.5h", "1/10m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rate, again ratelimit.Rate
		if rate.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(rate.String())); err != nil || again != rate {
			t.Errorf("%q is %+v, which is written %s and read as %+v: %v", text, rate, rate, again, err)
		}
	})
}
