package auth

import "time"

const (
	// renewBefore is how long before its end an access token is renewed, unless it lives for less than five times that.
	renewBefore = 30 * time.Second
	// assumedLifetime is that of an access token whose issuer does not say.
	assumedLifetime = 5 * time.Minute
)

// Lifetime returns when an access token that was given now has to be renewed, and when it ends. An issuer that does not
// say, for which expires is zero, is taken to mean five minutes.
func Lifetime(expires time.Time) (renewAt, ends time.Time) {
	now := time.Now()
	if expires.IsZero() {
		expires = now.Add(assumedLifetime)
	}
	return expires.Add(-min(renewBefore, expires.Sub(now)/5)), expires
}
