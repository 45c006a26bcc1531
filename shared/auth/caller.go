package auth

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// The kinds of callers.
const (
	// KindUser is a person, for whom a program acts.
	KindUser = "user"
	// KindPartner is a company, whose program has an API key.
	KindPartner = "partner"
)

// Caller is who is asking, as handlers see it.
type Caller struct {
	// Kind says how the caller is known; it is never empty.
	Kind string
	// ID is the caller's stable id: the subject of the token that the issuer gave it, or the partner.
	ID string
	// ClientID is the program that the caller uses, or "" when the token does not say; for a partner the id of its key.
	ClientID string
	// Scopes is what the program may do, sorted, each once. It may be shared by all requests of the caller and must not
	// be changed.
	Scopes []string
	// Expires is when the caller has to prove again who it is; zero is never.
	Expires time.Time
}

// Key tells callers of an issuer apart, as upstream.Credentials wants it: two callers with the same key may be given
// the same stored answer. It holds no secret.
func (c Caller) Key(issuer string) string {
	return lengthPrefixed(c.Kind, issuer, c.ClientID, c.ID, strings.Join(c.Scopes, " "))
}

// lengthPrefixed joins parts so that no other parts give the same.
func lengthPrefixed(parts ...string) string {
	var joined strings.Builder
	for _, part := range parts {
		joined.WriteString(strconv.Itoa(len(part)))
		joined.WriteByte(':')
		joined.WriteString(part)
	}
	return joined.String()
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns who sent the request; ok is false when nobody authenticated.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}
