package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindCaddy(t *testing.T) {
	dir := t.TempDir()
	program := func(parts ...string) string {
		path := filepath.Join(append([]string{dir}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	asked, ofRepository, onPath := program("asked", "caddy"), program("repository", ".bin", "caddy"), program("path", "caddy")
	for _, folder := range []string{"repository/devstack", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "repository", "go.work"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, asked, here, path string
		want, complaint         string
	}{
		{name: "the one that is asked for", asked: asked, here: "repository", path: "path", want: asked},
		{name: "asked for one that is not there", asked: filepath.Join(dir, "nowhere"), here: "repository", path: "path", complaint: "nowhere"},
		{name: "that of the repository, from a folder of it", here: "repository/devstack", path: "path", want: ofRepository},
		{name: "the one on the PATH, outside of the repository", here: "elsewhere", path: "path", want: onPath},
		{name: "none", here: "elsewhere", path: "elsewhere", complaint: "make tools"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", filepath.Join(dir, tt.path))
			got, err := FindCaddy(tt.asked, filepath.Join(dir, tt.here))
			if got != tt.want || (err == nil) != (tt.complaint == "") || err != nil && !strings.Contains(err.Error(), tt.complaint) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.complaint)
			}
		})
	}
}

func TestReplicasBehindCaddyHaveTheirPortsInCommon(t *testing.T) {
	t.Parallel()
	addrs, adminAddrs, err := BehindCaddy(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	file := caddyfile("127.0.0.1:8080", addrs, port(adminAddrs[0]))
	for _, want := range []string{
		"http://:8080 {", "bind 127.0.0.1\n", "reverse_proxy 127.0.0.2:" + port(addrs[0]) + " 127.0.0.3:" + port(addrs[0]) + " {",
		"health_port " + port(adminAddrs[1]) + "\n", "lb_retries 0\n", "lb_try_duration 0\n", "fail_duration 0\n", "health_interval 500ms\n",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("no %q in\n%s", want, file)
		}
	}
}

func TestWordsThatAreGoodToHearAreLeftOut(t *testing.T) {
	t.Parallel()
	const log = `{"level":"INFO","msg":"request"}
{"level":"warn","msg":"1"}
not JSON

{"level":"debug","msg":"also good"}
{"level":"ERROR","msg":"2"}
`
	var got []string
	for _, line := range worst([]byte(log)) {
		got = append(got, string(line))
	}
	if diff := cmp.Diff([]string{`{"level":"warn","msg":"1"}`, "not JSON", `{"level":"ERROR","msg":"2"}`}, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if lines := worst([]byte(strings.Repeat(strings.Repeat("long ", 200)+"\n", 20))); len(lines) != lastLines || len(lines[0]) != longestLine {
		t.Errorf("%d lines of %d bytes", len(lines), len(lines[0]))
	}
}
