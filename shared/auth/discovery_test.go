package auth_test

import (
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
)

// watched notes what a transport is asked for.
type watched struct {
	http.RoundTripper

	mu        sync.Mutex
	addresses []string
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.addresses = append(w.addresses, r.URL.String())
	w.mu.Unlock()
	return w.RoundTripper.RoundTrip(r)
}

func TestWhereTheKeysAreFound(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	for _, tt := range []struct {
		name, issuer, internal, published string
		asked                             []string
		want                              answer
	}{
		{
			"at the issuer", "https://id.example.com", "", "https://id.example.com/keys",
			[]string{"https://id.example.com/.well-known/openid-configuration", "https://id.example.com/keys"},
			accepted,
		},
		{
			"below its path", "https://id.example.com/tenant/", "", "https://id.example.com/tenant/keys?policy=a",
			[]string{"https://id.example.com/tenant/.well-known/openid-configuration", "https://id.example.com/tenant/keys?policy=a"},
			accepted,
		},
		{
			"at another host that it names", "https://id.example.com", "", "https://static.example.net/keys",
			[]string{"https://id.example.com/.well-known/openid-configuration", "https://static.example.net/keys"},
			accepted,
		},
		{
			"inside, when the issuer is reached there", "http://localhost:9000", "http://identity:9000/", "http://LOCALHOST:9000/keys",
			[]string{"http://identity:9000/.well-known/openid-configuration", "http://identity:9000/keys"},
			accepted,
		},
		{
			"outside, when the issuer is reached inside and names another host", "http://localhost:9000", "http://identity:9000", "https://static.example.net/keys",
			[]string{"http://identity:9000/.well-known/openid-configuration", "https://static.example.net/keys"},
			accepted,
		},
		{
			"nowhere less safe than the issuer", "https://id.example.com", "", "http://id.example.net/keys",
			[]string{"https://id.example.com/.well-known/openid-configuration"},
			away,
		},
		{
			"nowhere without an address", "https://id.example.com", "", "",
			[]string{"https://id.example.com/.well-known/openid-configuration"},
			away,
		},
		{
			"in no file", "https://id.example.com", "", "file:///etc/keys",
			[]string{"https://id.example.com/.well-known/openid-configuration"},
			away,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			identity := newIssuer(ed)
			identity.name, identity.jwksURI = tt.issuer, tt.published
			cfg := identity.config()
			cfg.InternalURL = tt.internal
			transport := &watched{RoundTripper: identity}
			v := auth.NewVerifier(cfg, transport, slog.New(slog.DiscardHandler))
			if diff := cmp.Diff(tt.want, ask(v, "Bearer "+ed.mint(claim("iss", tt.issuer)))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.asked, transport.addresses); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetadataOfAnotherIssuerIsRefused(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	identity := newIssuer(ed)
	cfg := identity.config()
	identity.name = issuerName + "/"
	want(t, auth.NewVerifier(cfg, identity, slog.New(slog.DiscardHandler)), ed.mint(), away)
	if fetched := len(identity.asked()); fetched != 0 {
		t.Errorf("%d fetches of keys, want none", fetched)
	}
}

func TestTheAddressOfTheKeysIsKeptUntilAFetchFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		identity := newIssuer(before)
		v := identity.verifier()
		want(t, v, before.mint(), accepted)
		time.Sleep(31 * time.Second)
		want(t, v, after.mint(), unknown)
		if discovered := identity.discovered(); discovered != 1 {
			t.Errorf("%d discoveries, want one", discovered)
		}
		time.Sleep(31 * time.Second)
		identity.answer(http.StatusNotFound, "moved")
		want(t, v, after.mint(), away)
		identity.publish(before, after)
		time.Sleep(time.Second)
		want(t, v, after.mint(), accepted)
		if discovered := identity.discovered(); discovered != 2 {
			t.Errorf("%d discoveries, want two", discovered)
		}
	})
}
