// Package apikey is the API keys of partners: made, listed and revoked by an operator, and required of requests.
//
// A key is pk_<id>_<secret>. The id is 12 characters of a-z and 0-9; the secret is 49 of 0-9, A-Z and a-z, of which the
// first 43 are random (256 bits) and the last six a checksum of all that comes before them (see checksum), which tells
// a mistyped key from one that is unknown without asking anybody. Every key matches
//
//	^pk_[a-z0-9]{12}_[0-9A-Za-z]{49}$
//
// At rest there is only the HMAC-SHA-256 of a key under a pepper that Redis does not know. A key is looked up by its id
// and compared in constant time, and an id that is unknown costs the same. Nothing of it is kept in a process, so what
// an operator does is so for the very next request on every replica; without Redis nobody is let in, and the answer is
// a 503.
//
//	apikey:{<id>}  a hash: partner, mac, scopes, note, created, expires, revoked, used. TTL: none for a
//	               key that never expires, for an operator ends it; 30 days after its end or its revocation. A record
//	               that cannot be marked, for Redis is out of memory, is deleted at once when its key is revoked
//	apikey:ids     the ids of all keys by when they were made. No TTL: it is the list of what an operator has to know,
//	               and loses the ids of records that are gone when it is read
package apikey
