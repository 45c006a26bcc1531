package web_test

import (
	"net/url"
	"strings"
	"testing"

	"bff.internal/shared/web"
)

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := web.Config{ExternalURL: url.URL{Scheme: "https", Host: "api.example.com"}, MaxBody: 1}
	for _, tt := range []struct {
		name, variable string
		change         func(*web.Config)
	}{
		{"all well", "", func(*web.Config) {}},
		{"no scheme", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.Scheme = "" }},
		{"a path", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.Path = "/mobile" }},
		{"a password", "EXTERNAL_URL", func(c *web.Config) { c.ExternalURL.User = url.UserPassword("a", "hunter2") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tt.change(&cfg)
			err := cfg.Validate()
			if tt.variable == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.variable+": ") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v, want one that begins with %s", err, tt.variable)
			}
		})
	}
}
