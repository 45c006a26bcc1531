package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"bff.internal/devstack/process"
)

// Service is one that the BFFs call.
type Service string

// The services that have stand-ins, besides Identity.
const (
	Users     Service = "users"
	Orders    Service = "orders"
	Analytics Service = "analytics"
)

// Services returns all of them.
func Services() []Service { return []Service{Users, Orders, Analytics} }

// Section is the name of the part of a dashboard that comes from the service.
func (s Service) Section() string {
	return map[Service]string{Users: "user", Orders: "activeOrders", Analytics: "metrics"}[s]
}

// startStandIns starts each as a process of its own, so that one can be taken away.
func (r *Rig) startStandIns(ctx context.Context) error {
	addrs, err := process.FreeAddr(ctx, "127.0.0.1") // it is part of the issuer's name
	if err != nil {
		return err
	}
	if r.Identity, err = r.startStandIn(ctx, "identity", "identity", addrs[0], addrs[0]); err != nil {
		return err
	}
	for service, at := range map[Service]**process.Process{Users: &r.Users, Orders: &r.Orders, Analytics: &r.Analytics} {
		if *at, err = r.StartStandIn(ctx, service, string(service)); err != nil {
			return err
		}
	}
	return nil
}

// StartStandIn starts another stand-in of the service. The name is that of its files, which nobody else has had.
func (r *Rig) StartStandIn(ctx context.Context, service Service, name string) (*process.Process, error) {
	return r.startStandIn(ctx, string(service), name, "127.0.0.1:0", r.Identity.Addr)
}

func (r *Rig) startStandIn(ctx context.Context, service, name, addr, identityAddr string) (*process.Process, error) {
	return r.start(ctx, process.Program{
		Name: name, Path: filepath.Join(r.cfg.Bin, "mockservices"), Args: []string{service},
		Env: append(r.issuerEnv(identityAddr), "EXTERNAL_URL="+r.site().String(), r.redisEnv(), strings.ToUpper(service)+"_ADDR="+addr),
	})
}

// Fault breaks a stand-in as PUT /_faults says; "" ends its faults. It may be used concurrently.
func (*Rig) Fault(ctx context.Context, standIn *process.Process, faults string) error {
	method := http.MethodPut
	if faults == "" {
		method = http.MethodDelete
	}
	_, err := control(ctx, method, standIn, "/_faults", faults)
	return err
}

// Calls is what a stand-in has counted, as GET /_calls says.
type Calls struct {
	Calls              int `json:"calls"`
	InFlight           int `json:"inFlight"`
	MostInFlight       int `json:"mostInFlight"`
	Left               int `json:"left"`
	MostOfOneRequest   int `json:"mostOfOneRequest"`
	RequestsAskedTwice int `json:"requestsAskedTwice"`
}

// Calls asks a stand-in what it has counted since its start or ForgetCalls. It may be used concurrently.
func (*Rig) Calls(ctx context.Context, standIn *process.Process) (counted Calls, err error) {
	answer, err := control(ctx, http.MethodGet, standIn, "/_calls", "")
	if err != nil {
		return counted, err
	}
	if err := json.Unmarshal([]byte(answer.body), &counted); err != nil {
		return counted, fmt.Errorf("/_calls of %s: %w", standIn.Name, err)
	}
	return counted, nil
}

// ForgetCalls makes a stand-in count anew. It may be used concurrently.
func (*Rig) ForgetCalls(ctx context.Context, standIn *process.Process) error {
	_, err := control(ctx, http.MethodDelete, standIn, "/_calls", "")
	return err
}

// control asks a stand-in for something beside its service.
func control(ctx context.Context, method string, standIn *process.Process, path, body string) (answer, error) {
	got := ask(ctx, method, "http://"+standIn.Addr+path, body)
	if got.kind != "200" && got.kind != "204" {
		return got, fmt.Errorf("%s %s of %s: %s %s", method, path, standIn.Name, got.kind, got.body)
	}
	return got, nil
}
