package session

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

const maxReturnTo = 1024

var errReturnTo = errors.New("not a path of this host")

// localPath returns where to go after the login: what was parsed, written anew, so that a browser cannot read it
// differently. It refuses whatever could leave this host in any reader's eyes.
func localPath(raw string) (string, error) {
	if len(raw) > maxReturnTo || !strings.HasPrefix(raw, "/") ||
		strings.ContainsAny(raw, `\@`) || strings.ContainsFunc(raw, notPlain) {
		return "", errReturnTo
	}
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" || parsed.User != nil || parsed.Opaque != "" {
		return "", errReturnTo
	}
	// Once more decoded, for whoever decodes twice.
	for _, path := range []string{parsed.Path, parsed.EscapedPath(), unescaped(parsed.Path)} {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, `\@`) ||
			strings.ContainsFunc(path, unicode.IsControl) || hasDots(path) {
			return "", errReturnTo
		}
	}
	local := url.URL{Path: parsed.Path, RawQuery: parsed.RawQuery, Fragment: parsed.Fragment}
	return local.String(), nil
}

// notPlain reports what has no place in a URL as it is sent: spaces, control characters and all that is not ASCII.
func notPlain(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII }

func hasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func unescaped(path string) string {
	if twice, err := url.PathUnescape(path); err == nil {
		return twice
	}
	return path
}
