package upstream

import (
	"context"

	"bff.internal/shared/secret"
)

// Credentials is the caller as everything below a handler sees it. The middleware that authenticates
// puts it into the context; the Identify layer sends it.
type Credentials struct {
	// Token is the access token that upstream services get.
	Token secret.String
	// Key tells callers apart: two requests with the same Key may be given the same stored answer. It is
	// never empty and holds no secret.
	Key string
	// Ours says that Token is the BFF's own and not the caller's, so that its refusal is our failure.
	Ours bool
	// Refused, unless it is nil, is called when a service answers 401 to Token. It must not block.
	Refused func()
}

type credentialsKey struct{}

// WithCredentials returns a context that carries the credentials.
func WithCredentials(ctx context.Context, c Credentials) context.Context {
	return context.WithValue(ctx, credentialsKey{}, c)
}

// CredentialsFrom returns the credentials of the request; ok is false when nobody authenticated.
func CredentialsFrom(ctx context.Context) (c Credentials, ok bool) {
	c, ok = ctx.Value(credentialsKey{}).(Credentials)
	return c, ok
}
