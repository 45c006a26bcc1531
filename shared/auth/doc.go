// Package auth says who is calling. A Verifier takes an access token that the issuer signed (RFC 9068),
// as a bearer token (RFC 6750), and yields the Caller. The issuer's keys are found by discovery, fetched
// when they are needed and kept for as long as the issuer can be away.
//
// An OwnToken is the other way round: the access token by which a BFF calls services in its own name (RFC 6749, section
// 4.4), kept fresh in the background.
//
// A failure is a problem.Problem with its challenge: 401 when nobody or nobody valid is calling, 403
// when a scope is missing, 400 when the request is malformed, and 503 when it cannot be known because
// the issuer is away. Its cause names the reason, for the log.
package auth
