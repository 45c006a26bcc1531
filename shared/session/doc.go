// Package session keeps browsers signed in: OpenID Connect with code and PKCE on one side, an opaque cookie on the
// other, and between them a record in Redis with the tokens, which no browser ever sees.
//
//	login → identity provider → callback → session → logout
//
// A session's id is 256 random bits, new at every login. Redis knows only its hash, and the record is encrypted. It
// ends when it is idle for too long, after its whole lifetime, by logout, or when the provider says so. While Redis or
// the provider is away nobody is signed out: what cannot be known is a 503, and the cookie stays.
package session
