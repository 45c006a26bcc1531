package mobile_test

import (
	"crypto/ecdsa"
	_ "embed"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuer = "http://issuer.test"

// bff is bff-mobile over a scripted network.
type bff struct {
	http.Handler

	script *upstreamtest.Transport
	key    *ecdsa.PrivateKey
}

// newBFF returns bff-mobile with services that answer well.
func newBFF(t *testing.T) bff {
	t.Helper()
	key := newKey(t)
	script := &upstreamtest.Transport{}
	script.Answer("/.well-known/openid-configuration", upstreamtest.Answer{Body: `{"issuer":"` + issuer + `","jwks_uri":"` + issuer + `/keys"}`})
	script.Answer("/keys", upstreamtest.Answer{Body: keySet(t, key)})
	script.Answer("/users/me", upstreamtest.Answer{Body: userJSON})
	script.Answer("/orders", upstreamtest.Answer{Body: ordersJSON})
	script.Answer("/metrics", upstreamtest.Answer{Body: metricsJSON})

	return bff{Handler: mobile.New(config(t), platformtest.New(t, script)), script: script, key: key}
}

func config(t *testing.T) mobile.Config {
	t.Helper()
	cfg := mobile.DefaultConfig()
	cfg.Auth.Issuer, cfg.Auth.Algorithms = issuer, []string{"ES256"}
	cfg.Web.ExternalURL, cfg.Web.MaxBody = url.URL{Scheme: "http", Host: "localhost:8080"}, 1<<20
	cfg.Users = upstreamtest.Replicas(t, "http://users.test")
	cfg.Orders = upstreamtest.Replicas(t, "http://orders.test")
	cfg.Analytics = upstreamtest.Replicas(t, "http://analytics.test")
	return cfg
}

func keySet(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	return `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"1","x":"` + x + `","y":"` + y + `"}]}`
}

// token is an access token for ada, with some claims changed.
func (b bff) token(t *testing.T, change func(jwt.MapClaims)) string {
	t.Helper()
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": issuer, "aud": "bff-mobile", "sub": "ada", "client_id": "mobile-app", "jti": "1",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	if change != nil {
		change(claims)
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["typ"], unsigned.Header["kid"] = "at+jwt", "1"
	signed, err := unsigned.SignedString(b.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// dashboard asks for the dashboard as ada.
func (b bff) dashboard(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	return b.get(t, "/mobile/dashboard", b.token(t, nil))
}

func (b bff) get(t *testing.T, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	return rec
}

// What the services answer, as they really do.
var (
	//go:embed testdata/upstream/user.json
	userJSON string
	//go:embed testdata/upstream/orders.json
	ordersJSON string
	//go:embed testdata/upstream/metrics.json
	metricsJSON string
)
