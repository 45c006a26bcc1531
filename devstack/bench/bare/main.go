// Command bare is the aggregator that bench compares bff-mobile with: three parallel calls, three typed answers, the
// answer of GET /mobile/dashboard, and nothing else. It knows no token, limit, deadline, log, metric or breaker, and
// imports nothing of this repository.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	services := flag.String("services", "", "base `URL` of the three services")
	flag.Parse()
	if err := serve(*services); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves until the process is ended.
func serve(services string) error {
	if services == "" {
		return errors.New("bare: -services is missing")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing could cancel it
	if err != nil {
		return err
	}
	fmt.Printf("{\"msg\":\"serving\",\"addr\":%q}\n", listener.Addr())
	mux := http.NewServeMux()
	mux.Handle("GET /mobile/dashboard", newAggregator(services))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}
