package auth_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
)

func TestConfigFromTheEnvironment(t *testing.T) {
	t.Parallel()
	defaults := auth.Config{Issuer: "https://id.example.com", Audience: "bff-mobile", Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"}}
	all := auth.Config{
		Issuer: "http://localhost:9000/a", InternalURL: "http://identity:9000", Audience: "other", PlainJWT: true,
		RequiredScopes: []string{"profile", "orders:read"}, Algorithms: []string{"ES256"},
	}
	for _, tt := range []struct {
		name        string
		environment map[string]string
		want        auth.Config
	}{
		{"the issuer is enough", map[string]string{"ISSUER": "https://id.example.com"}, defaults},
		{"what is empty is not set", map[string]string{"ISSUER": "https://id.example.com", "REQUIRED_SCOPES": "", "ISSUER_TYP_JWT": "", "JWT_ALGORITHMS": ""}, defaults},
		{"everything can be said", map[string]string{
			"ISSUER": "http://localhost:9000/a", "ISSUER_INTERNAL_URL": "http://identity:9000", "AUDIENCE": "other",
			"ISSUER_TYP_JWT": "true", "REQUIRED_SCOPES": "profile,orders:read", "JWT_ALGORITHMS": "ES256",
		}, all},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := auth.Config{Audience: "bff-mobile"}
			if err := env.ParseWithOptions(&got, env.Options{Environment: tt.environment}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfigThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		edit       func(*auth.Config)
	}{
		{"no issuer", "ISSUER: ", func(c *auth.Config) { c.Issuer = "" }},
		{"an issuer without scheme", "ISSUER: ", func(c *auth.Config) { c.Issuer = "id.example.com" }},
		{"an issuer of another scheme", "ISSUER: ", func(c *auth.Config) { c.Issuer = "ftp://id.example.com" }},
		{"an issuer with a query", "ISSUER: ", func(c *auth.Config) { c.Issuer += "?tenant=a" }},
		{"an issuer with an empty fragment", "ISSUER: ", func(c *auth.Config) { c.Issuer += "#" }},
		{"an issuer with a password", "ISSUER: ", func(c *auth.Config) { c.Issuer = "https://a:b@id.example.com" }},
		{"an internal address without scheme", "ISSUER_INTERNAL_URL: ", func(c *auth.Config) { c.InternalURL = "identity:9000" }},
		{"no audience", "AUDIENCE: ", func(c *auth.Config) { c.Audience = "" }},
		{"an audience that breaks the challenge", "AUDIENCE: ", func(c *auth.Config) { c.Audience = `a"b` }},
		{"an audience with a line end", "AUDIENCE: ", func(c *auth.Config) { c.Audience = "a\r\nb" }},
		{"an empty scope", "REQUIRED_SCOPES: ", func(c *auth.Config) { c.RequiredScopes = []string{"a", ""} }},
		{"a scope with a space", "REQUIRED_SCOPES: ", func(c *auth.Config) { c.RequiredScopes = []string{"a b"} }},
		{"no algorithm", "JWT_ALGORITHMS: ", func(c *auth.Config) { c.Algorithms = nil }},
		{"a symmetric algorithm", "JWT_ALGORITHMS: ", func(c *auth.Config) { c.Algorithms = []string{"RS256", "HS256"} }},
		{"the algorithm none", "JWT_ALGORITHMS: ", func(c *auth.Config) { c.Algorithms = []string{"none"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := newIssuer().config()
			tt.edit(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || !strings.Contains(err.Error(), "; wants ") {
				t.Errorf("Validate() = %v, want %q and what it wants", err, tt.want)
			}
			defer func() {
				if recover() == nil {
					t.Error("NewVerifier took it")
				}
			}()
			auth.NewVerifier(cfg, newIssuer(), slog.New(slog.DiscardHandler))
		})
	}
}
