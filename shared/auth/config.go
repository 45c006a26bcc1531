package auth

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Config is the part of a BFF's configuration that says whose access tokens it takes.
type Config struct {
	Issuer         string   `env:"ISSUER,required" help:"the issuer exactly as tokens name it in iss, such as https://id.example.com; its keys are found by OpenID discovery"`
	InternalURL    string   `env:"ISSUER_INTERNAL_URL" help:"where this process reaches the issuer when that differs from ISSUER, such as http://identity:9000"`
	Audience       string   `env:"AUDIENCE" help:"this BFF as tokens name it in aud; a token for anybody else as well is refused"`
	PlainJWT       bool     `env:"ISSUER_TYP_JWT" envDefault:"false" help:"true for an issuer whose access tokens say typ JWT instead of at+jwt; then no client of the issuer may be named like AUDIENCE, or its ID tokens would pass for access tokens"`
	RequiredScopes []string `env:"REQUIRED_SCOPES" help:"comma-separated scopes that every access token must carry; none by default"`
	Algorithms     []string `env:"JWT_ALGORITHMS" envDefault:"RS256,PS256,ES256,EdDSA" help:"comma-separated algorithms that this issuer signs with"`
}

// Validate names the variable that is wrong and what it wants.
func (c Config) Validate() error {
	if err := checkIssuer(c.Issuer, c.InternalURL); err != nil {
		return err
	}
	if c.Audience == "" || strings.ContainsFunc(c.Audience, func(r rune) bool { return r != ' ' && !scopeRune(r) }) {
		return fmt.Errorf("AUDIENCE: %q is no audience; wants a name of printable ASCII without quotes and backslashes, such as bff-mobile", c.Audience)
	}
	for _, scope := range c.RequiredScopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return !scopeRune(r) }) {
			return fmt.Errorf("REQUIRED_SCOPES: %q is no scope; wants names separated by commas, such as profile,orders:read", scope)
		}
	}
	if len(c.Algorithms) == 0 {
		return fmt.Errorf("JWT_ALGORITHMS: nothing is allowed; wants some of %s", strings.Join(algorithms(), ","))
	}
	for _, algorithm := range c.Algorithms {
		if !slices.Contains(algorithms(), algorithm) {
			return fmt.Errorf("JWT_ALGORITHMS: %q is no asymmetric signature; wants some of %s", algorithm, strings.Join(algorithms(), ","))
		}
	}
	return nil
}

func checkIssuer(name, internal string) error {
	if !PlainURL(name) {
		return fmt.Errorf("ISSUER: %q is no issuer; wants an http or https URL without query and fragment, such as https://id.example.com", name)
	}
	if internal != "" && !PlainURL(internal) {
		return fmt.Errorf("ISSUER_INTERNAL_URL: %q is no address; wants an http or https URL without query and fragment, such as http://identity:9000", internal)
	}
	return nil
}

// algorithms lists what can be verified with a key that everybody may know. There are no others: with a
// symmetric algorithm the issuer's public key would be the password, and "none" needs not even that.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// PlainURL reports whether raw is the URL of a server that paths can be appended to.
func PlainURL(raw string) bool {
	_, err := webURL(raw)
	return err == nil && !strings.ContainsAny(raw, "?#")
}

// webURL parses the address of something on a server.
func webURL(raw string) (*url.URL, error) {
	parsed, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	if (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" || parsed.User != nil {
		return nil, errors.New("is no http or https URL")
	}
	return parsed, nil
}

// scopeRune is the alphabet of a scope in RFC 6749, which is safe inside a challenge's quotes.
func scopeRune(r rune) bool { return r > ' ' && r < 0x7f && r != '"' && r != '\\' }
