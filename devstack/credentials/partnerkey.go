package credentials

import (
	"context"
	"sync"
	"time"

	"bff.internal/shared/apikey"
	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
)

const (
	// demoPartner is whose key is shown. Every partner id is a partner.
	demoPartner = "acme"
	// demoKeyLasts is how long a key is good; the next one is made in time.
	demoKeyLasts = 24 * time.Hour
)

// DemoKey makes a key for the demo partner when it is asked for one, and shows the same one for half of its life.
type DemoKey struct {
	redisURL secret.String
	keys     apikey.Config
	scopes   []string

	mu    sync.Mutex
	key   string
	until time.Time
}

// NewDemoKey returns the key of the demo partner with these scopes, in the Redis that bff-partner uses, under its pepper.
func NewDemoKey(redisURL secret.String, keys apikey.Config, scopes []string) *DemoKey {
	return &DemoKey{redisURL: redisURL, keys: keys, scopes: scopes}
}

// Get returns the key. It has just been made, or is good for twelve hours more; one that was revoked meanwhile is shown
// all the same.
func (d *DemoKey) Get(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if now.Before(d.until) {
		return d.key, nil
	}
	client, err := platform.OpenRedis(d.redisURL)
	if err != nil {
		return "", err
	}
	defer func() { _ = client.Close() }()
	key, _, err := apikey.NewStore(client).Create(ctx, d.keys, apikey.Request{
		Partner: demoPartner, Scopes: d.scopes, Expires: now.Add(demoKeyLasts), Note: "the demo key of the dev stack",
	})
	if err != nil {
		return "", err
	}
	d.key, d.until = key.Reveal(), now.Add(demoKeyLasts/2)
	return d.key, nil
}
