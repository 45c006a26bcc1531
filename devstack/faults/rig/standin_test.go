package rig

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/devstack/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering is host:port of a server whose answers are those, by method and path; it answers 404 to all others.
func answering(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestAStandInIsBrokenAndAskedForItsCounts(t *testing.T) {
	t.Parallel()
	var r Rig
	good := &process.Process{Name: "users", Addr: answering(t, map[string]string{
		"PUT /_faults": "", "DELETE /_faults": "", "DELETE /_calls": "",
		"GET /_calls": `{"calls":9,"inFlight":1,"mostInFlight":4,"left":2,"mostOfOneRequest":3,"requestsAskedTwice":5}`,
	})}
	counted, err := r.Calls(t.Context(), good)
	if diff := cmp.Diff(Calls{9, 1, 4, 2, 3, 5}, counted); err != nil || diff != "" {
		t.Errorf("%v; calls (-want +got):\n%s", err, diff)
	}
	for name, err := range map[string]error{
		"fault": r.Fault(t.Context(), good, "{}"), "none": r.Fault(t.Context(), good, ""), "forget": r.ForgetCalls(t.Context(), good),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := &process.Process{Name: "users", Addr: answering(t, nil)}
	if _, err := r.Calls(t.Context(), old); err == nil || !strings.Contains(err.Error(), "GET /_calls of users: 404") {
		t.Errorf("from one that does not count: %v", err)
	}
	if err := r.Fault(t.Context(), old, "{}"); err == nil || !strings.Contains(err.Error(), "PUT /_faults of users: 404") {
		t.Errorf("of one that does not break: %v", err)
	}
}

func TestTheStateOfACircuitIsThatOfTheMetrics(t *testing.T) {
	t.Parallel()
	replica := &Replica{Process: &process.Process{AdminAddr: answering(t, map[string]string{"GET /metrics": `# TYPE upstream_circuit_state gauge
upstream_circuit_state{replica="127.0.0.1:1",service="users"} 2
upstream_circuit_state{replica="127.0.0.1:2",service="users"} 0
upstream_circuit_state{replica="127.0.0.1:3",service="orders"} 1
upstream_replica_ejected{replica="127.0.0.1:4",service="users"} 1
`})}}
	for service, want := range map[Service]map[string]int{
		Users: {"127.0.0.1:1": 2, "127.0.0.1:2": 0}, Orders: {"127.0.0.1:3": 1}, Analytics: {},
	} {
		if diff := cmp.Diff(want, replica.Circuits(t.Context(), service)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", service, diff)
		}
	}
}

func TestAReplicaAsksTheStandInsOfTheRigUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	at := func(addr string) *process.Process { return &process.Process{Addr: addr} }
	r := &Rig{Site: "127.0.0.1:80", Redis: at("redis:1"), Identity: at("identity:1"), Users: at("users:1"), Orders: at("orders:1"), Analytics: at("analytics:1")}
	env := r.replicaEnv(BFFs()[0], ReplicaConfig{
		Addr: "127.0.0.1:1", Asks: map[Service][]string{Users: {"http://users:2", "http://users:3"}},
	})
	got := map[string]string{}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value // the last one wins, as in a process
	}
	for name, want := range map[string]string{
		"USERS_URLS": "http://users:2,http://users:3", "ORDERS_URLS": "http://orders:1", "ANALYTICS_URLS": "http://analytics:1",
		"ADDR": "127.0.0.1:1", "REDIS_URL": "redis://redis:1",
	} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
	for _, b := range BFFs() {
		if !b.Requires(Users) || b.Requires(Analytics) || b.Within == 0 || b.Contract == "" {
			t.Errorf("%s: %+v", b.Name, b)
		}
	}
}
