package credentials_test

import (
	"net/url"
	"strings"
	"testing"

	"bff.internal/devstack/credentials"
)

func TestNonsenseInTheConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	valid := credentials.Config{Edge: parse(t, edgeURL), Issuer: parse(t, issuer), EdgeInternal: parse(t, "https://caddy:8443")}
	if err := valid.Validate(); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*credentials.Config)
		says   string
	}{
		{"no edge", func(c *credentials.Config) { c.Edge = url.URL{} }, "EDGE_URL: wants http or https"},
		{"an edge with a path", func(c *credentials.Config) { c.Edge.Path = "/" }, "EDGE_URL: wants http or https"},
		{"an issuer of another kind", func(c *credentials.Config) { c.Issuer.Scheme = "ftp" }, "ISSUER: wants http or https"},
		{"a host without a scheme", func(c *credentials.Config) { c.IssuerInternal = url.URL{Path: "identity"} }, "ISSUER_INTERNAL_URL: wants http or https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := valid
			tt.change(&cfg)
			if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want one line: %s", err, tt.says)
			}
		})
	}
}
