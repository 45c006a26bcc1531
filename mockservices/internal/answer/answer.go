// Package answer writes what a stand-in answers: JSON, conditional answers and RFC 9457 problems.
package answer

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// JSON answers status with value as JSON, not to be stored by anyone.
// It panics when value cannot be JSON: that is a programmer's mistake.
func JSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Cache-Control", "no-store")
	body(w, status, "application/json", encode(value))
}

// Cached answers 200 with value as JSON, the given Cache-Control and a strong ETag over the bytes,
// or 304 with the same headers when If-None-Match (RFC 9110, weak comparison) names that tag.
func Cached(w http.ResponseWriter, r *http.Request, cacheControl string, value any) {
	content := encode(value)
	digest := sha256.Sum256(content)
	tag := `"` + base64.RawURLEncoding.EncodeToString(digest[:16]) + `"`
	w.Header().Set("Cache-Control", cacheControl)
	w.Header().Set("ETag", tag)
	if known(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body(w, http.StatusOK, "application/json", content)
}

// known reports whether a list of entity tags holds tag, whose opaque part has no comma.
func known(lists []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

func encode(value any) []byte {
	content, err := json.Marshal(value)
	if err != nil {
		panic("answer: " + err.Error())
	}
	return content
}

// body leaves it to net/http to send none in answer to HEAD.
func body(w http.ResponseWriter, status int, mediaType string, content []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	// A client that has gone is no error of ours, and nobody is left to tell.
	_, _ = w.Write(content)
}
