package auth

import (
	"context"
	"time"
)

// KindUser is the kind of a caller who proved with an access token who it is.
const KindUser = "user"

// Caller is who is asking, as handlers see it.
type Caller struct {
	// Kind says how the caller is known; it is never empty.
	Kind string
	// ID is the stable id that the issuer gave to the caller: the subject of the token.
	ID string
	// ClientID is the program that the caller uses, or "" when the token does not say.
	ClientID string
	// Scopes is what the caller granted to the program, sorted, each once. It is shared by all requests
	// of the caller and must not be changed.
	Scopes []string
	// Expires is when the caller has to prove again who it is.
	Expires time.Time
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
