package auth

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

const (
	maxToken = 8 << 10
	maxName  = 255
	// endOfTime is the last second that RFC 3339 can say. What is later is no time but a mistake.
	endOfTime = 253402300799
)

// header is what a token says about itself. Where it says how to get a key (jku, jwk, x5u, x5c) nobody
// listens.
type header struct {
	Algorithm string         `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
}

// parseHeader reads the first of the three parts of a token (RFC 7515, compact serialisation). Members
// that come twice are refused.
func parseHeader(token string) (header, error) {
	var h header
	// The decoder of base64 would skip line ends, and one token would have many spellings.
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, "\r\n") {
		return h, errMalformed
	}
	first, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil {
		return h, errMalformed
	}
	if jsontext.Value(decoded).Kind() != jsontext.KindBeginObject || json.Unmarshal(decoded, &h) != nil {
		return h, errMalformed
	}
	return h, nil
}

// check refuses what no access token says (RFC 9068, section 4; RFC 8725).
func (h header) check(allowed []string, plain bool) error {
	switch {
	case h.Critical != nil:
		return errCritical
	case !h.accessToken() && (!plain || !h.plain()):
		return errWrongType
	case !slices.Contains(allowed, h.Algorithm):
		return errWrongMethod
	case h.KeyID == "":
		return errUnnamedKey
	default:
		return nil
	}
}

func (h header) accessToken() bool {
	return strings.EqualFold(h.Type, "at+jwt") || strings.EqualFold(h.Type, "application/at+jwt")
}

func (h header) plain() bool { return strings.EqualFold(h.Type, "JWT") }

// claims is what an access token says about its caller. Unlike the JWT library it tells members apart by
// case, refuses members that come twice, and takes no string for a number.
type claims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.ClaimStrings `json:"aud"`
	Expires   *float64         `json:"exp"`
	NotBefore *float64         `json:"nbf"`
	IssuedAt  *float64         `json:"iat"`
	ClientID  string           `json:"client_id"` //nolint:tagliatelle // RFC 8693 says so
	Scope     string           `json:"scope"`

	// Confirmation names the key that the token is bound to (RFC 7800).
	Confirmation jsontext.Value `json:"cnf"`
	// These are members of ID tokens and logout tokens, and of no access token.
	Nonce  jsontext.Value `json:"nonce"`
	AtHash jsontext.Value `json:"at_hash"` //nolint:tagliatelle // OpenID Connect says so
	CHash  jsontext.Value `json:"c_hash"`  //nolint:tagliatelle // OpenID Connect says so
	Events jsontext.Value `json:"events"`
}

// UnmarshalJSON makes the JWT library read the claims strictly.
func (c *claims) UnmarshalJSON(raw []byte) error {
	type strict claims
	return json.Unmarshal(raw, (*strict)(c))
}

// check refuses what is not for us, whatever its signature. The JWT library has checked iss and the
// times, and that audience is among those of the token.
func (c *claims) check(h header, audience string) error {
	switch {
	case slices.ContainsFunc(c.Audience, func(one string) bool { return one != audience }):
		return fmt.Errorf("%w: and for others too", errWrongAudience)
	case c.Confirmation != nil:
		return errBound
	case !h.accessToken() && (c.Nonce != nil || c.AtHash != nil || c.CHash != nil || c.Events != nil):
		return errWrongType
	case c.Subject == "" || !printable(c.Subject):
		return errBadSubject
	case !printable(c.ClientID):
		return fmt.Errorf("%w: client_id", errMalformed)
	default:
		return nil
	}
}

// scopes returns the scopes of the token, sorted, each once.
func (c *claims) scopes() []string {
	scopes := strings.Fields(c.Scope)
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// printable reports whether a name can be logged and compared as it is.
func printable(name string) bool {
	return len(name) <= maxName && !strings.ContainsFunc(name, unicode.IsControl)
}

// GetExpirationTime returns exp, for the JWT library.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires) }

// GetNotBefore returns nbf, for the JWT library.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return date(c.NotBefore) }

// GetIssuedAt returns iat, for the JWT library.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.IssuedAt) }

// GetIssuer returns iss, for the JWT library.
func (c *claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub, for the JWT library.
func (c *claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud, for the JWT library.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return c.Audience, nil }

// date is nil when the token does not say.
func date(seconds *float64) (*jwt.NumericDate, error) {
	if seconds == nil {
		return nil, nil //nolint:nilnil // the JWT library has no other word for a date that is absent
	}
	if *seconds < 0 || *seconds > endOfTime {
		return nil, jwt.ErrInvalidType
	}
	return jwt.NewNumericDate(time.Unix(int64(*seconds), 0)), nil
}
