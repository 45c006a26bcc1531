package session

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"bff.internal/shared/auth"
	"bff.internal/shared/secret"
)

// Config is the part of a BFF's configuration that says who signs its users in, and for how long.
type Config struct {
	Issuer       string        `env:"ISSUER,required" help:"the OpenID provider exactly as its tokens name it in iss, such as https://id.example.com; the rest is found by discovery"`
	InternalURL  string        `env:"ISSUER_INTERNAL_URL" help:"where this process reaches the provider when that differs from ISSUER, such as http://identity:9000; browsers always go to ISSUER"`
	ClientID     string        `env:"OIDC_CLIENT_ID" help:"the id of this BFF at the provider"`
	ClientSecret secret.String `env:"OIDC_CLIENT_SECRET,required" help:"the secret of that client"`
	Scopes       []string      `env:"OIDC_SCOPES" envDefault:"openid,profile,offline_access" help:"comma-separated scopes to ask for; openid has to be among them, and offline_access is what most providers want for refresh tokens"`
	Keys         secret.String `env:"SESSION_KEYS,required" help:"comma-separated keys of 32 bytes in base64 (openssl rand -base64 32), newest first: the first one encrypts, all decrypt. To rotate, let every replica know the new key at the end of the list before it comes first"`
	Idle         time.Duration `env:"SESSION_IDLE" envDefault:"30m" help:"how long a session lasts without a request"`
	Lifetime     time.Duration `env:"SESSION_LIFETIME" envDefault:"12h" help:"how long a session lasts at most"`
}

// Validate names each variable that is wrong and what it wants, a line each. No secret is in it.
func (c Config) Validate() error {
	_, keys := parseKeys(c.Keys, recordKeys)
	return errors.Join(
		checkURL("ISSUER", c.Issuer),
		checkInternal(c.InternalURL),
		checkClient(c.ClientID),
		checkScopes(c.Scopes),
		keys,
		checkTimes(c.Idle, c.Lifetime),
	)
}

func checkURL(variable, raw string) error {
	if !auth.PlainURL(raw) {
		return fmt.Errorf("%s: wants an http or https URL without query and fragment, such as https://id.example.com", variable)
	}
	return nil
}

func checkInternal(raw string) error {
	if raw == "" {
		return nil
	}
	return checkURL("ISSUER_INTERNAL_URL", raw)
}

func checkClient(id string) error {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return fmt.Errorf("OIDC_CLIENT_ID: %q is no client; wants visible ASCII characters, such as bff-web", id)
	}
	return nil
}

func checkScopes(scopes []string) error {
	openID := false
	for _, scope := range scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return fmt.Errorf("OIDC_SCOPES: %q is no scope; wants names separated by commas, such as openid,profile,offline_access", scope)
		}
		openID = openID || scope == "openid"
	}
	if !openID {
		return errors.New("OIDC_SCOPES: openid is missing, and without it nobody says who signs in")
	}
	return nil
}

func checkTimes(idle, lifetime time.Duration) error {
	switch {
	case idle < time.Second:
		return fmt.Errorf("SESSION_IDLE: %v is too short; wants a duration such as 30m", idle)
	case lifetime < idle:
		return fmt.Errorf("SESSION_LIFETIME: %v is shorter than SESSION_IDLE; wants a duration such as 12h", lifetime)
	default:
		return nil
	}
}
