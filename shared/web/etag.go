package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"

	"bff.internal/shared/upstream"
)

// tagOf returns the entity tag of a body that was made for the caller, or "" if there is none. It is of the caller too, so
// that nobody is told to keep what somebody else was answered. It is a weak one: the body may be sent in several codings.
func tagOf(ctx context.Context, body []byte) string {
	caller, ok := upstream.CredentialsFrom(ctx)
	if !ok {
		return ""
	}
	var room [128]byte
	key := binary.BigEndian.AppendUint64(room[:0], uint64(len(caller.Key)))
	hash := sha256.New()
	hash.Write(append(key, caller.Key...))
	hash.Write(body)
	sum := hash.Sum(room[:0])

	const half = sha256.Size / 2
	var tag [32]byte
	return string(append(base64.RawURLEncoding.AppendEncode(append(tag[:0], `W/"`...), sum[:half]), '"'))
}

// unchanged reports whether the caller has the answer with this tag, as If-None-Match says (RFC 9110, 13.1.2). Only what a
// GET or HEAD asks for can be had already.
func unchanged(r *http.Request, tag string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	opaque := strings.TrimPrefix(tag, "W/")
	for _, line := range r.Header["If-None-Match"] {
		if strings.TrimSpace(line) == "*" { // and not within a list, where it may be a part of a tag
			return true
		}
		for known := range strings.SplitSeq(line, ",") {
			if strings.TrimPrefix(strings.TrimSpace(known), "W/") == opaque {
				return true
			}
		}
	}
	return false
}
