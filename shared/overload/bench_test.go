package overload_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"bff.internal/shared/overload"
	"bff.internal/shared/telemetry"
)

// BenchmarkAdmit is what a request pays for being let in, and for its end.
func BenchmarkAdmit(b *testing.B) {
	token := "Bearer " + string(make([]byte, 900))
	for _, bench := range []struct {
		name  string
		known bool
	}{{"known callers", true}, {"strangers", false}} {
		l := overload.New(overload.Config{}, overload.Deps{Metrics: telemetry.NewMetrics(), Address: func(r *http.Request) string { return r.RemoteAddr }})
		requests := make([]*http.Request, 256)
		for i := range requests {
			requests[i] = from("2001:db8:0:"+strconv.Itoa(i)+"::1", "Authorization", token+strconv.Itoa(i))
			if slot, _ := l.Admit(requests[i]); bench.known {
				slot.Confirm(strconv.Itoa(i))
				slot.Release()
			} else {
				slot.Release()
			}
		}
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				slot, _ := l.Admit(requests[i%len(requests)])
				slot.Release()
			}
		})
		b.Run(bench.name+" at once", func(b *testing.B) {
			b.ReportAllocs()
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for i := int(next.Add(100)); pb.Next(); i++ {
					slot, _ := l.Admit(requests[i%len(requests)])
					slot.Release()
				}
			})
		})
	}
}

// BenchmarkRefuse is what a request costs that is turned away.
func BenchmarkRefuse(b *testing.B) {
	w := newWorld(b, 2)
	w.floodFrom("10.0.0.1")
	request := from("10.0.0.1")
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := w.Admit(request); refusal == nil {
			b.Fatal("let in")
		}
	}
}
