package rig

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/google/go-cmp/cmp"
)

// proxied stands for a Toxiproxy: it takes everything and notes what it is asked for.
type proxied struct{ asked []string }

func (p *proxied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Listen, Upstream string
		Enabled          *bool
		Type, Stream     string
		Attributes       map[string]int
	}
	content, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(content, &body)
	note := r.Method + " " + r.URL.Path
	switch {
	case body.Type != "":
		attributes, _ := json.Marshal(body.Attributes)
		note += " " + body.Type + " " + body.Stream + " " + string(attributes)
	case r.URL.Path == "/proxies":
		note += " " + body.Listen + " to " + body.Upstream
		w.WriteHeader(http.StatusCreated)
	case body.Enabled != nil && !*body.Enabled:
		note += " down"
	case body.Enabled != nil:
		note += " up"
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	}
	p.asked = append(p.asked, note)
	_, _ = w.Write(content)
}

func TestALinkBreaksInOneWayAtATime(t *testing.T) {
	t.Parallel()
	const add, remove, proxy = "POST /proxies/users/toxics ", "DELETE /proxies/users/toxics/broken", "POST /proxies/users "
	for _, tt := range []struct {
		name string
		do   func(l *Link) error
		want []string
	}{
		{name: "slow", do: func(l *Link) error { return l.Slow(2 * time.Second) }, want: []string{add + `latency downstream {"latency":2000}`}},
		{name: "a black hole", do: (*Link).BlackHole, want: []string{add + `timeout upstream {"timeout":0}`}},
		{name: "resetting", do: (*Link).Reset, want: []string{add + `reset_peer upstream {"timeout":0}`}},
		{name: "down", do: (*Link).Down, want: []string{proxy + "down"}},
		{name: "down twice", do: steps((*Link).Down, (*Link).Down), want: []string{proxy + "down", proxy + "up", proxy + "down"}},
		{name: "whole already", do: (*Link).Heal, want: nil},
		{
			name: "healed and healed again", do: steps((*Link).Reset, (*Link).Heal, (*Link).Heal),
			want: []string{add + `reset_peer upstream {"timeout":0}`, remove},
		},
		{name: "up again", do: steps((*Link).Down, (*Link).Heal), want: []string{proxy + "down", proxy + "up"}},
		{
			name: "one way after another", do: steps((*Link).BlackHole, (*Link).Down, (*Link).Reset),
			want: []string{add + `timeout upstream {"timeout":0}`, remove, proxy + "down", proxy + "up", add + `reset_peer upstream {"timeout":0}`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &proxied{}
			server := httptest.NewServer(p)
			t.Cleanup(server.Close)
			link, err := newLink(toxiproxy.NewClient(server.URL), "users", "127.0.0.1:1", "127.0.0.1:2")
			if err != nil {
				t.Fatal(err)
			}
			if link.URL() != "http://127.0.0.1:1" {
				t.Errorf("the link is at %s", link.URL())
			}
			if err := tt.do(link); err != nil {
				t.Fatal(err)
			}
			want := append([]string{"POST /proxies 127.0.0.1:1 to 127.0.0.1:2"}, tt.want...)
			if diff := cmp.Diff(want, p.asked); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

func steps(all ...func(l *Link) error) func(l *Link) error {
	return func(l *Link) error {
		for _, step := range all {
			if err := step(l); err != nil {
				return err
			}
		}
		return nil
	}
}
