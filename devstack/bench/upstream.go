package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bff.internal/devstack/process"
)

// startUpstream starts the process that stands for the three services: nginx where it is installed, and the stub
// otherwise. The description is for the report.
func startUpstream(ctx context.Context, dir string) (upstream *process.Process, description string, err error) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		upstream, err = process.Start(ctx, process.Program{
			Name: "stub", Dir: dir, Path: filepath.Join(dir, "stub"), Args: []string{"-dir", dir},
		})
		return upstream, "the stub of devstack/bench/stub (there is no nginx on the PATH)", err
	}
	addr, err := process.FreeAddr(ctx, "127.0.0.1") // nginx cannot say which port it got
	if err != nil {
		return nil, "", err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf(dir, addr[0])), 0o600); err != nil {
		return nil, "", err
	}
	upstream, err = process.Start(ctx, process.Program{Name: "nginx", Dir: dir, Path: nginx, Args: []string{"-p", dir, "-c", conf}, Addr: addr[0]})
	return upstream, nginxVersion(ctx, nginx), err
}

// nginxConf serves the fixtures from one process, so that none is left when it is killed, without any header that
// would let them be cached, over connections that are kept for as long as a run lasts.
func nginxConf(dir, addr string) string {
	var paths, scratch strings.Builder
	for _, f := range services() {
		fmt.Fprintf(&paths, "    location = %s { alias %q; }\n", f.path, filepath.Join(dir, f.file))
	}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&scratch, "  %s_temp_path %q;\n", kind, filepath.Join(dir, kind))
	}
	return fmt.Sprintf(`daemon off;
master_process off;
pid %q;
error_log stderr error;
events { worker_connections 4096; }
http {
%s  access_log off;
  default_type application/json;
  etag off;
  if_modified_since off;
  add_header Last-Modified "";
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  open_file_cache max=16 inactive=1h;
  open_file_cache_valid 1h;
  server {
    listen %s;
%s  }
}
`, filepath.Join(dir, "nginx.pid"), scratch.String(), addr, paths.String())
}

// nginxVersion is nginx's own words, such as nginx/1.22.1.
func nginxVersion(ctx context.Context, nginx string) string {
	output, err := exec.CommandContext(ctx, nginx, "-v").CombinedOutput()
	if err != nil {
		return "nginx"
	}
	return strings.TrimPrefix(strings.TrimSpace(string(output)), "nginx version: ")
}
