// Command stub is the three services of bench where there is no nginx: fixed answers, read once.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	dir := flag.String("dir", "", "`directory` with user.json, orders.json and metrics.json")
	flag.Parse()
	if err := serve(*dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves until the process is ended.
func serve(dir string) error {
	if dir == "" {
		return errors.New("stub: -dir is missing")
	}
	mux := http.NewServeMux()
	for path, name := range map[string]string{"/users/me": "user", "/orders": "orders", "/metrics": "metrics"} {
		body, err := os.ReadFile(filepath.Join(dir, name+".json")) //nolint:gosec // bench says which directory
		if err != nil {
			return err
		}
		mux.Handle("GET "+path, fixed(body))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing could cancel it
	if err != nil {
		return err
	}
	fmt.Printf("{\"msg\":\"serving\",\"addr\":%q}\n", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// fixed answers the same JSON to everybody, without a word about caching.
func fixed(body []byte) http.HandlerFunc {
	length := strconv.Itoa(len(body))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	}
}
