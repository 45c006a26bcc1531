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
	for pair := range strings.FieldsFuncSeq(u.RawQuery, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescaped(name), unescaped(value)
		if likeKey.MatchString(name) || likeKey.MatchString(value) || slices.Contains(parameters, strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// unescaped is what a part of a query means, or the part itself where it means nothing.
func unescaped(part string) string {
	if plain, err := url.QueryUnescape(part); err == nil {
		return plain
	}
	return part
}
