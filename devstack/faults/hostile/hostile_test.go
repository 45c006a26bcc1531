package hostile_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/devstack/faults/hostile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, shape hostile.Shape) *hostile.Server {
	t.Helper()
	return startWith(t, hostile.NewLedger(), shape)
}

func startWith(t *testing.T, ledger *hostile.Ledger, shape hostile.Shape) *hostile.Server {
	t.Helper()
	server, err := hostile.Start(t.Context(), ledger, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// ask reads at most so many bytes of whatever comes, and leaves.
func ask(t *testing.T, server *hostile.Server, most int64) string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /users/me HTTP/1.1\r\nHost: service\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(io.LimitReader(conn, most))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryShapeHasANameAndSaysSomethingUntilItsClientHasLeft(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, shape := range hostile.Shapes() {
		if shape.Name == "" || seen[shape.Name] {
			t.Errorf("the name %q", shape.Name)
		}
		seen[shape.Name] = true
		t.Run(shape.Name, func(t *testing.T) {
			t.Parallel()
			server := start(t, shape)
			if content := ask(t, server, 50); content == "" {
				t.Error("nothing came")
			}
			ticks, enough := time.NewTicker(time.Millisecond), time.After(10*time.Second)
			defer ticks.Stop()
			for server.Open() > 0 {
				select {
				case <-ticks.C:
				case <-enough:
					t.Fatal("the connection is still there")
				}
			}
		})
	}
}

func TestAnEndlessAnswerGoesOnBeyondAnyLimit(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	for _, shape := range hostile.Shapes() {
		if shape.Name == "a body without end" || shape.Name == "chunks without end" || shape.Name == "headers without end" {
			if content := ask(t, start(t, shape), most); len(content) != most {
				t.Errorf("%s ended after %d bytes", shape.Name, len(content))
			}
		}
	}
}

func TestTheCompressedBombIsSmallOnTheWireAlone(t *testing.T) {
	t.Parallel()
	for _, shape := range hostile.Shapes() {
		if !shape.Compressed {
			continue
		}
		resp, err := http.Get("http://" + start(t, shape).Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if unpacked, err := io.Copy(io.Discard, resp.Body); err != nil || unpacked < 60<<20 {
			t.Errorf("%d bytes, %v", unpacked, err)
		}
	}
}

func TestAfterSayTheAnswersAreOthers(t *testing.T) {
	t.Parallel()
	server := start(t, hostile.Shapes()[0])
	before := ask(t, server, 1)
	server.Say(hostile.Shape{})
	if after := ask(t, server, 1); before != "H" || after != "" {
		t.Errorf("%q, and then %q", before, after)
	}
}

func TestAShareOfAnswersFails(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]map[int]int{0: {200: 20}, 1: {500: 20}} {
		server := start(t, hostile.Failing(share))
		got := map[int]int{}
		for range 20 {
			resp, err := http.Get("http://" + server.Addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			got[resp.StatusCode]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("share %g (-want +got):\n%s", share, diff)
		}
	}
}

func TestALedgerCountsTheRequestsOfAllItsServersAndThoseOfOneId(t *testing.T) {
	t.Parallel()
	ledger := hostile.NewLedger()
	servers := []*hostile.Server{startWith(t, ledger, hostile.Shape{}), startWith(t, ledger, hostile.Shape{})}
	for i, id := range []string{"a", "a", "b", "b", "b", "", "", "", ""} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+servers[i%2].Addr, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if id != "" {
			req.Header.Set("X-Request-Id", id)
		}
		if resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req); err == nil {
			t.Errorf("an answer: %v", resp.Body.Close())
		}
	}
	if got, want := ledger.Asked(), (hostile.Asked{Requests: 9, MostOfOne: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestNobodyListensAfterClose(t *testing.T) {
	t.Parallel()
	server, err := hostile.Start(t.Context(), hostile.NewLedger(), hostile.Shapes()[0])
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server.Close()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still there")
	}
}
