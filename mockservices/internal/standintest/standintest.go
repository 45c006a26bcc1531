// Package standintest is the outside world of a stand-in under test: an Identity whose tokens are real, and a client.
package standintest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/token"
)

// Issuer is what the world's Identity is called. It is reached elsewhere, as in containers.
const Issuer = "http://localhost:9000"

// World is an Identity and whoever trusts it.
type World struct {
	Identity *identity.Provider
	Trusted  token.Issuer // what verifiers are told
}

// New is a world whose Identity listens until the test ends.
func New(t *testing.T) *World {
	t.Helper()
	provider := NewIdentity(t)
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	return &World{Identity: provider, Trusted: token.Issuer{ID: Issuer, URL: server.URL}}
}

// NewIdentity is an Identity that does not listen.
func NewIdentity(t *testing.T) *identity.Provider {
	t.Helper()
	provider, err := identity.New(identity.Config{Issuer: Issuer, PartnerSecret: identity.DevPartnerSecret})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// Mobile is a token for a user of the mobile app.
func (w *World) Mobile(t *testing.T, user string) string {
	t.Helper()
	return w.mint(t, identity.TokenRequest{User: user, Client: "mobile-app"})
}

// Partner is a token for the client that acts for partners.
func (w *World) Partner(t *testing.T) string {
	t.Helper()
	return w.mint(t, identity.TokenRequest{Client: "bff-partner"})
}

func (w *World) mint(t *testing.T, request identity.TokenRequest) string {
	t.Helper()
	minted, err := w.Identity.Mint(request)
	if err != nil {
		t.Fatal(err)
	}
	return minted
}

// Client talks to one stand-in.
type Client struct {
	url string
}

// Request is what a client sends. Zero members are left out, but for the method, which is then GET.
type Request struct {
	Method string
	Path   string // with the query
	Token  string // a bearer token
	Body   string
	Header map[string]string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Serve puts a stand-in on the network until the test ends.
func Serve(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Client{server.URL}
}

// Get asks for a path with a token.
func (c *Client) Get(t *testing.T, path, bearer string) Answer {
	t.Helper()
	return c.Do(t, Request{Path: path, Token: bearer})
}

// Do sends request and fails the test when no answer comes. Redirects are answers.
func (c *Client) Do(t *testing.T, request Request) Answer {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), request.Method, c.url+request.Path, strings.NewReader(request.Body))
	if err != nil {
		t.Fatal(err)
	}
	if request.Token != "" {
		sent.Header.Set("Authorization", "Bearer "+request.Token)
	}
	for name, value := range request.Header {
		sent.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

// Direct makes calls to a handler without a network, so that they can be made in a testing/synctest bubble.
type Direct struct {
	Handler http.Handler
}

// RoundTrip is [http.RoundTripper]'s.
func (d Direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	d.Handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}
