package partner_test

import (
	"bytes"
	_ "embed"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"bff.internal/bff-partner/api"
	"bff.internal/bff-partner/partner"
	"bff.internal/shared/apikey"
	"bff.internal/shared/platform"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream/upstreamtest"
	"bff.internal/shared/web/contracttest"
)

const issuer = "http://issuer.test"

// bff is bff-partner over a scripted network.
type bff struct {
	http.Handler

	script   *upstreamtest.Transport
	contract *contracttest.Contract
	platform *platform.Platform
	key      string // of acme, for the dashboard
}

// newBFF returns bff-partner with services that answer well.
func newBFF(t *testing.T, server *miniredis.Miniredis) bff {
	t.Helper()
	return newBFFOver(t, newScript(), config(t), server)
}

// newScript returns an issuer and services that answer well.
func newScript() *upstreamtest.Transport {
	script := &upstreamtest.Transport{}
	script.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Body: `{"issuer":"` + issuer + `","token_endpoint":"` + issuer + `/token"}`})
	script.Answer("/token", upstreamtest.Answer{Body: `{"access_token":"at-partner","token_type":"Bearer","expires_in":300}`})
	script.Answer("/partners/acme", upstreamtest.Answer{Body: partnerJSON})
	script.Answer("/orders", upstreamtest.Answer{Body: ordersJSON})
	script.Answer("/metrics", upstreamtest.Answer{Body: metricsJSON})

	return script
}

// newBFFOver returns bff-partner over a script.
func newBFFOver(t *testing.T, script *upstreamtest.Transport, cfg partner.Config, server *miniredis.Miniredis) bff {
	t.Helper()
	p := platformtest.WithRedis(t, script, "redis://"+server.Addr())
	// With more patience than in production, for a busy machine is no Redis that is away.
	_ = p.Redis.Close()
	p.Redis = redis.NewClient(&redis.Options{Addr: server.Addr(), Protocol: 2, DisableIdentity: true, ReadTimeout: time.Minute})
	b := bff{Handler: partner.New(cfg, p), script: script, contract: closedContract(t), platform: p}
	b.key = b.newKey(t, "acme", "dashboard:read")
	return b
}

func config(t *testing.T) partner.Config {
	t.Helper()
	cfg := partner.DefaultConfig()
	cfg.Web.ExternalURL, cfg.Web.MaxBody = url.URL{Scheme: "http", Host: "localhost:8080"}, 1<<20
	cfg.Keys.Pepper = secret.New("a pepper of the tests that is long enough")
	cfg.Limit = ratelimit.Config{Rate: ratelimit.Rate{Requests: 600, Per: time.Minute}, Burst: 100}
	cfg.Own.Issuer, cfg.Own.ClientSecret = issuer, secret.New("hunter2")
	cfg.Users = upstreamtest.Replicas(t, "http://users.test")
	cfg.Orders = upstreamtest.Replicas(t, "http://orders.test")
	cfg.Analytics = upstreamtest.Replicas(t, "http://analytics.test")
	return cfg
}

// closedContract is the contract without room for the members that may come: of those there are none yet, and one that
// is answered has to be written down.
func closedContract(t *testing.T) *contracttest.Contract {
	t.Helper()
	room, none := []byte("additionalProperties: true"), []byte("additionalProperties: false")
	closed := bytes.ReplaceAll(api.Contract, room, none)
	if bytes.Equal(closed, api.Contract) || bytes.Contains(api.Contract, none) {
		t.Error("the contract has no room for new members, or not everywhere")
	}
	return contracttest.Load(t, closed)
}

// newKey makes a key for a partner.
func (b bff) newKey(t *testing.T, owner string, scopes ...string) string {
	t.Helper()
	key, _, err := apikey.NewStore(b.platform.Redis).Create(t.Context(), config(t).Keys, apikey.Request{Partner: owner, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return key.Reveal()
}

// ask sends a request with the headers, and holds the answer to the contract.
func (b bff) ask(t *testing.T, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	b.contract.CheckAnswer(t, req, rec)
	return rec
}

// dashboard asks for the dashboard as acme.
func (b bff) dashboard(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	return b.ask(t, http.MethodGet, "/partner/v1/dashboard", "Authorization", "Bearer "+b.key)
}

// What the services answer, as they really do.
var (
	//go:embed testdata/upstream/partner.json
	partnerJSON string
	//go:embed testdata/upstream/orders.json
	ordersJSON string
	//go:embed testdata/upstream/metrics.json
	metricsJSON string
)
