package overload_test

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bff.internal/shared/overload"
	"bff.internal/shared/telemetry"
)

func TestWhoFloodsLeavesRoomForTheNextOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		limit int
		want  []int // what each of the callers gets who come one after the other and take all that they can
	}{
		{"one has half of the places at most", 100, []int{50}},
		{"those who come later have half of the rest, and there is a rest", 100, []int{50, 25, 13, 6, 3, 2, 1, 0}},
		{"of an odd number, one has the greater half", 7, []int{4, 2, 1, 0}},
		{"the only place is somebody's", 1, []int{1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.limit)
			for i, want := range tt.want {
				if got := w.floodFrom("10.0.0." + strconv.Itoa(i)); got != want {
					t.Errorf("caller %d has %d, want %d", i, got, want)
				}
			}
		})
	}
}

func TestThoseWhoGoOnAskingEndUpWithEqualParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	callers := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}
	var holding [3][]*overload.Slot
	for range 200 {
		for i, caller := range callers { // who has something ends one, and asks until there is no more
			if own := holding[i]; len(own) > 0 {
				own[0].Release()
				holding[i] = own[1:]
			}
			for {
				slot, refusal := w.ask(from(caller))
				if refusal != nil {
					break
				}
				holding[i] = append(holding[i], slot)
			}
		}
	}
	for i := range holding {
		if got := len(holding[i]); got < 24 || got > 26 {
			t.Errorf("caller %d has %d of 100, want a quarter", i, got)
		}
	}
}

func TestTheAnswerToWhoIsTurnedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.floodFrom("10.0.0.1")
	_, refusal := w.ask(from("10.0.0.1"))
	if refusal == nil {
		t.Fatal("let in")
	}
	if refusal.Status != http.StatusServiceUnavailable || refusal.Code != "overloaded" || refusal.Header("Retry-After") != "2" {
		t.Errorf("%v, Retry-After %q", refusal, refusal.Header("Retry-After"))
	}
}

func TestRetryAfterIsByChanceOneToThreeSeconds(t *testing.T) {
	t.Parallel()
	l := overload.New(overload.Config{MaxInFlight: 1}, overload.Deps{Metrics: telemetry.NewMetrics(), Address: func(r *http.Request) string { return r.RemoteAddr }})
	if _, refusal := l.Admit(from("10.0.0.1")); refusal != nil {
		t.Fatal(refusal)
	}
	got := map[string]int{}
	for range 1000 {
		_, refusal := l.Admit(from("10.0.0.2"))
		got[refusal.Header("Retry-After")]++
	}
	if len(got) != 3 || got["1"] < 200 || got["2"] < 200 || got["3"] < 200 {
		t.Errorf("of 1000: %v", got)
	}
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	first, _ := w.ask(from("10.0.0.1"))
	if _, refusal := w.ask(from("10.0.0.2")); refusal != nil {
		t.Fatal(refusal)
	}
	first.Release()
	first.Release()
	if requests, callers := w.InFlight(); requests != 1 || callers != 1 {
		t.Errorf("%d requests of %d callers, want the other one", requests, callers)
	}
	var none overload.Slot
	none.Release()
	none.Confirm("ada")
}

func TestSwitchedOffItLetsEverybodyIn(t *testing.T) {
	t.Parallel()
	l := overload.New(overload.Config{MaxInFlight: 1, Off: true}, overload.Deps{Metrics: telemetry.NewMetrics(), Address: func(*http.Request) string { return "" }})
	for range 10 {
		if _, refusal := l.Admit(from("10.0.0.1")); refusal != nil {
			t.Fatal(refusal)
		}
	}
}

func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.floodFrom("10.0.0.1") // 2 and a refusal
	w.floodFrom("10.0.0.2") // 1 and a refusal
	w.floodFrom("10.0.0.3") // 1, and then there is no place
	w.slots[0].Release()
	got := w.scrape(t)
	for _, want := range []string{
		"\nhttp_requests_in_flight 3\n", "\nhttp_requests_in_flight_limit 4\n",
		`http_requests_shed_total{reason="share"} 2`, `http_requests_shed_total{reason="full"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestRequestsAtTheSameTimeAreCountedAsWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 16)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for range 500 {
				slot, refusal := w.Admit(from("10.0.0."+strconv.Itoa(i%5), "Cookie", strconv.Itoa(i)))
				if refusal != nil {
					continue
				}
				if requests, _ := w.InFlight(); requests > 16 {
					t.Errorf("%d in flight", requests)
				}
				slot.Confirm(strconv.Itoa(i % 7))
				slot.Release()
			}
		})
	}
	all.Wait()
	if requests, callers := w.InFlight(); requests != 0 || callers != 0 {
		t.Errorf("%d requests of %d callers are left", requests, callers)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		most int
		ok   bool
	}{
		{"none", 0, false},
		{"one", 1, true},
		{"many", 1_000_000, true},
		{"less than none", -1, false},
		{"more than anybody has memory for", math.MaxInt, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := overload.Config{MaxInFlight: tt.most}.Validate()
			if (err == nil) != tt.ok || (err != nil && !strings.HasPrefix(err.Error(), "MAX_IN_FLIGHT: ")) {
				t.Errorf("error = %v", err)
			}
		})
	}
	if got := newWorld(t, 0).Limit(); got != 1024 {
		t.Errorf("the default is %d", got)
	}
}
