package session_test

import (
	"strings"
	"testing"
	"time"

	"bff.internal/shared/secret"
	"bff.internal/shared/session"
)

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, variable string // variable is "" for a good one
		change         func(*session.Config)
	}{
		{"all well", "", func(*session.Config) {}},
		{"two keys, with spaces between and without padding", "", func(c *session.Config) { c.Keys = secret.New(strings.TrimRight(keyA, "=") + " , " + keyB) }},
		{"a key in the alphabet of URLs", "", func(c *session.Config) { c.Keys = secret.New("__________________________________________8") }},
		{"an issuer without a scheme", "ISSUER", func(c *session.Config) { c.Issuer = "id.test" }},
		{"an issuer with a query", "ISSUER", func(c *session.Config) { c.Issuer += "?hunter2" }},
		{"an issuer with a password", "ISSUER", func(c *session.Config) { c.Issuer = "https://a:hunter2@id.test" }},
		{"an internal URL that is none", "ISSUER_INTERNAL_URL", func(c *session.Config) { c.InternalURL = "identity:9000" }},
		{"no client", "OIDC_CLIENT_ID", func(c *session.Config) { c.ClientID = "" }},
		{"a client with a line end", "OIDC_CLIENT_ID", func(c *session.Config) { c.ClientID = "a\nb" }},
		{"no openid among the scopes", "OIDC_SCOPES", func(c *session.Config) { c.Scopes = []string{"profile"} }},
		{"an empty scope", "OIDC_SCOPES", func(c *session.Config) { c.Scopes = []string{"openid", ""} }},
		{"no key", "SESSION_KEYS", func(c *session.Config) { c.Keys = secret.String{} }},
		{"a short key", "SESSION_KEYS: key 2 has 7 bytes", func(c *session.Config) { c.Keys = secret.New(keyA + ",aHVudGVyMg==") }},
		{"a key that is no base64", "SESSION_KEYS: key 1 is no base64", func(c *session.Config) { c.Keys = secret.New("hunter2!") }},
		{"an idle time of nothing", "SESSION_IDLE", func(c *session.Config) { c.Idle = 0 }},
		{"a lifetime shorter than the idle time", "SESSION_LIFETIME", func(c *session.Config) { c.Lifetime = time.Minute }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config()
			tt.change(&cfg)
			err := cfg.Validate()
			if tt.variable == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.variable) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVud") {
				t.Errorf("error = %v, want one that begins with %s", err, tt.variable)
			}
		})
	}
}
