package auth_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestARotationIsOneFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		identity := newIssuer(before)
		identity.takes = time.Second
		v := identity.verifier()
		want(t, v, before.mint(), accepted)
		time.Sleep(31 * time.Second)
		identity.publish(before, after)
		tokens := make([]string, crowd)
		for n := range tokens {
			tokens[n] = after.mint(claim("jti", n))
		}
		all(t, v, accepted, tokens...)
		if fetched := len(identity.asked()); fetched != 2 {
			t.Errorf("%d fetches, want two: the first and that for the new key", fetched)
		}
	})
}

func TestAnInventedKidDelaysARotationByHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		identity := newIssuer(before)
		v := identity.verifier()
		want(t, v, before.mint(head("kid", "invented")), unknown)
		identity.publish(before, after)
		time.Sleep(29 * time.Second)
		want(t, v, after.mint(), unknown)
		time.Sleep(time.Second)
		want(t, v, after.mint(), accepted)
	})
}

func TestAKeyThatComesDuringARefreshIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before, after := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		identity := newIssuer(before)
		v := identity.verifier()
		want(t, v, before.mint(), accepted)
		// The answer of the refresh is made before the rotation and arrives after it.
		identity.script(func(w http.ResponseWriter, _ *http.Request) {
			identity.publish(before, after)
			time.Sleep(time.Second)
			_, _ = w.Write([]byte(encode(map[string]any{"keys": []any{before.jwk()}})))
		})
		refreshing(t, v)
		time.Sleep(2*time.Minute + 500*time.Millisecond)
		want(t, v, after.mint(), accepted)
	})
}

func TestARemovedKeyIsDeadWithinFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stays, goes := newSigner(t, "1", "EdDSA"), newSigner(t, "2", "EdDSA")
		replaced := newSigner(t, "2", "EdDSA")
		identity := newIssuer(stays, goes)
		v := identity.verifier()
		refreshing(t, v)
		far := claim("exp", time.Now().Add(time.Hour).Unix())
		kept, lost := stays.mint(far), goes.mint(far)
		want(t, v, kept, accepted)
		want(t, v, lost, accepted)
		identity.publish(stays, replaced)
		time.Sleep(5 * time.Minute)
		want(t, v, kept, accepted)
		want(t, v, lost, invalid("the signature of the token is invalid"))
		want(t, v, replaced.mint(), accepted)
		identity.publish(stays)
		time.Sleep(5 * time.Minute)
		want(t, v, lost, unknown)
		want(t, v, replaced.mint(), unknown)
	})
}

func TestAKeyWithAnotherAlgorithmIsAnotherKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := newSigner(t, "1", "RS256")
		after := signer{"1", "PS256", before.private}
		identity := newIssuer(before)
		v := identity.verifier()
		refreshing(t, v)
		token := before.mint(claim("exp", time.Now().Add(time.Hour).Unix()))
		want(t, v, token, accepted)
		identity.publish(after)
		time.Sleep(5 * time.Minute)
		want(t, v, token, invalid("the token is signed with an algorithm that is not accepted"))
		want(t, v, after.mint(), accepted)
	})
}
