package realtime_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"

	"bff.internal/shared/realtime"
)

func TestADrainSendsSocketsAwayOneAfterAnother(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t).Addr()
	draining := make(chan struct{})
	r := serve(t, redis, func(o *realtime.Options) { o.Draining = draining })
	elsewhere := serve(t, redis)
	const sockets = 300
	var browsers []*browser
	for i := range sockets {
		b, _ := connected(t, r.addr, "", "X-User: ada "+string(rune('a'+i%26))+string(rune('a'+i/26)))
		browsers = append(browsers, b)
	}
	waiting := open(t, r.addr)

	began := time.Now()
	close(draining)
	var ends sync.WaitGroup
	took := make([]time.Duration, sockets)
	for i, b := range browsers {
		ends.Go(func() {
			if code := b.ended(t); code != 3001 {
				t.Errorf("a socket ended with %d", code)
			}
			took[i] = time.Since(began)
		})
	}
	eventually(t, "no socket is taken any more", func() bool {
		b, resp := shake(t, r.addr)
		b.leave()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	publish(t, r, "ada", "1", `"while it drains"`)
	waiting.send(`{"id":1,"connect":{}}`)
	if code := waiting.ended(t); code != 3001 {
		t.Errorf("a socket that had not connected ended with %d", code)
	}
	ends.Wait()
	early, late := 0, time.Duration(0)
	for _, d := range took {
		if late = max(late, d); d < 450*time.Millisecond {
			early++
		}
	}
	if late < 850*time.Millisecond || early > sockets*2/3 {
		t.Errorf("%d of %d sockets went in the first half of %v", early, sockets, late)
	}
	connected(t, elsewhere.addr, "")
	r.stop()
}

func TestAStopEndsWhatIsLeft(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	b, _ := connected(t, r.addr, "")
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 4500*time.Millisecond {
		t.Errorf("it takes %v", took)
	}
	if code := b.ended(t); code != 3001 {
		t.Errorf("the socket ended with %d", code)
	}
	if _, resp := shake(t, r.addr); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("afterwards: %s", resp.Status)
	}
}

func TestAHubThatIsStoppedWhileItWaitsForRedisStops(t *testing.T) {
	t.Parallel()
	r := prepared(t, "127.0.0.1:1")
	r.run(t)
	r.stop()
}

func TestHubsOfOneProcessShareNoMetrics(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t).Addr()
	serve(t, redis)
	serve(t, redis)
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "centrifuge") {
			t.Errorf("%s is global", family.GetName())
		}
	}
}
