package apikey

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// parameters are those under which keys are put into URLs elsewhere.
//
//nolint:gochecknoglobals // read-only
var parameters = []string{"api_key", "api-key", "apikey", "x-api-key", "access_token"}

// presented returns the key of a request.
func (g *Guard) presented(r *http.Request) (string, error) {
	if inURL(r.URL) {
		return "", g.inURL()
	}
	bearer, other := r.Header["Authorization"], r.Header["X-Api-Key"]
	switch len(bearer) + len(other) {
	case 0:
		return "", g.missing()
	case 1:
	default:
		return "", g.malformed("there is more than one; send one key, in one header")
	}
	if len(other) == 1 {
		if other[0] == "" {
			return "", g.malformed("the header is empty")
		}
		return other[0], nil
	}
	scheme, key, _ := strings.Cut(bearer[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", g.missing()
	}
	if key = strings.TrimLeft(key, " "); key == "" {
		return "", g.malformed("the key is missing")
	}
	return key, nil
}

// inURL reports whether there is a key, or what usually is one, in a URL: by then it is in the log of everything on the
// way.
func inURL(u *url.URL) bool {
	if likeKey.MatchString(u.Path) {
		return true
	}
	if u.RawQuery == "" {
		return false
	}
	query := u.RawQuery
	if plain, err := url.QueryUnescape(query); err == nil {
		query = plain
	}
	if likeKey.MatchString(query) {
		return true
	}
	for pair := range strings.FieldsFuncSeq(u.RawQuery, func(c rune) bool { return c == '&' || c == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if slices.Contains(parameters, strings.ToLower(name)) {
			return true
		}
	}
	return false
}
