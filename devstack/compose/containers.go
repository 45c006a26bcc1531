package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// container is what docker inspect says of one, which spells names with capitals; for encoding/json that is the same.
type container struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Config struct {
		User   string            `json:"user"`
		Labels map[string]string `json:"labels"`
	} `json:"config"`
	HostConfig struct {
		Privileged     bool     `json:"privileged"`
		ReadonlyRootfs bool     `json:"readonlyRootfs"`
		CapDrop        []string `json:"capDrop"`
		CapAdd         []string `json:"capAdd"`
		SecurityOpt    []string `json:"securityOpt"`
	} `json:"hostConfig"`
	NetworkSettings struct {
		Ports map[string][]struct {
			HostPort string `json:"hostPort"`
		} `json:"ports"`
		Networks map[string]struct {
			IPAddress string `json:"ipAddress"`
		} `json:"networks"`
	} `json:"networkSettings"`
}

func (c container) service() string { return c.Config.Labels["com.docker.compose.service"] }

// front is its address in the network of the edge.
func (c container) front() string { return c.NetworkSettings.Networks[projectName+"_front"].IPAddress }

// inspect looks at the containers of a service, or at all that run, by name.
func (p project) inspect(ctx context.Context, service ...string) ([]container, error) {
	ids, err := p.ids(ctx, service...)
	if err != nil {
		return nil, err
	}
	text, err := p.docker(ctx, append([]string{"inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	var found []container
	err = json.Unmarshal([]byte(text), &found)
	slices.SortFunc(found, func(a, b container) int { return cmp.Compare(a.Name, b.Name) })
	return found, err
}

// replica is the last container of a service.
func (p project) replica(ctx context.Context, service string) (container, error) {
	found, err := p.inspect(ctx, service)
	if err != nil {
		return container{}, err
	}
	return found[len(found)-1], nil
}

// confined looks at what each container is kept from.
func (s *suite) confined(ctx context.Context) (string, error) {
	found, err := s.project.inspect(ctx)
	if err != nil {
		return "", err
	}
	var errs []error
	for _, c := range found {
		for _, complaint := range c.complaints() {
			errs = append(errs, fmt.Errorf("%s %s", c.Name, complaint))
		}
	}
	return fmt.Sprintf("%d are no root, read only, without capabilities or new privileges", len(found)), errors.Join(errs...)
}

// complaints is what a container may do and should not.
func (c container) complaints() []string {
	var complaints []string
	uid, _, _ := strings.Cut(c.Config.User, ":")
	if id, err := strconv.Atoi(uid); err != nil || id == 0 {
		complaints = append(complaints, fmt.Sprintf("runs as %q, which is no number of an ordinary user", c.Config.User))
	}
	if c.HostConfig.Privileged {
		complaints = append(complaints, "is privileged")
	}
	if !c.HostConfig.ReadonlyRootfs {
		complaints = append(complaints, "can write to its file system")
	}
	if !slices.Contains(c.HostConfig.CapDrop, "ALL") {
		complaints = append(complaints, "keeps capabilities")
	}
	if added := c.HostConfig.CapAdd; len(added) > 0 && (c.service() != "edge" || len(added) > 1 || strings.TrimPrefix(added[0], "CAP_") != "NET_BIND_SERVICE") {
		complaints = append(complaints, fmt.Sprintf("gets the capabilities %v", added))
	}
	if !slices.Contains(c.HostConfig.SecurityOpt, "no-new-privileges:true") {
		complaints = append(complaints, "may gain privileges")
	}
	return complaints
}

// published is the ports of this host that lead into containers, such as "edge 8080".
func published(found []container) []string {
	var ports []string
	for _, c := range found {
		for inner, hosts := range c.NetworkSettings.Ports {
			if len(hosts) > 0 {
				ports = append(ports, c.service()+" "+strings.TrimSuffix(inner, "/tcp"))
			}
		}
	}
	slices.Sort(ports)
	return ports
}

// innerPorts is where the processes listen that this host must not reach: the BFFs, their admin listeners, the services.
func innerPorts() []int {
	return []int{8081, 8082, 8083, 8084, 9081, 9082, 9083, 9001, 9002, 9003, 6379}
}

// ports tries to reach what is not meant for this host.
func (s *suite) ports(ctx context.Context) (string, error) {
	found, err := s.project.inspect(ctx)
	if err != nil {
		return "", err
	}
	if got, want := published(found), []string{"edge 8080", "identity 9000"}; !slices.Equal(got, want) {
		return "", fmt.Errorf("published are %v, want %v", got, want)
	}
	tried := 0
	var taken []string
	for _, port := range innerPorts() {
		if s.busy[port] {
			taken = append(taken, strconv.Itoa(port))
			continue
		}
		tried++
		if open(ctx, port) {
			return "", fmt.Errorf("port %d is reachable", port)
		}
	}
	saw := fmt.Sprintf("the edge and Identity; %d other ports are closed", tried)
	if len(taken) > 0 {
		saw += "; somebody else had before: " + strings.Join(taken, ", ")
	}
	return saw, nil
}
