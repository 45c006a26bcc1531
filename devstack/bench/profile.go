package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// profileFor is how long a profile runs: 1,000 samples a core.
const profileFor = 10 * time.Second

// emptyProfile finds out whether the file, unless it is "", can be written, before minutes have been spent.
func emptyProfile(file string) error {
	if file == "" {
		return nil
	}
	return os.WriteFile(file, nil, 0o600)
}

// takeProfile fetches a CPU profile of a peer from its admin listener, while the peer has turns that do not count.
func (b *bench) takeProfile(ctx context.Context, p *peer) error {
	b.tellf("profiling %s for %v\n", p.process.Name, profileFor)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fetched := make(chan error, 1)
	go func() { fetched <- fetchProfile(ctx, p.process.AdminAddr, b.profile) }()
	for {
		_, err := b.turn(ctx, p)
		if err != nil {
			cancel()
			return errors.Join(err, <-fetched)
		}
		select {
		case err := <-fetched:
			if err == nil {
				b.tellf("profile: go tool pprof -top %s\n", b.profile)
			}
			return err
		default:
		}
	}
}

// fetchProfile writes the profile to the file.
func fetchProfile(ctx context.Context, adminAddr, file string) error {
	address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%.0f", adminAddr, profileFor.Seconds())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: answered %d: %s", response.StatusCode, content)
	}
	return os.WriteFile(file, content, 0o600)
}
