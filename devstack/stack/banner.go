package stack

import (
	"fmt"
	"io"
	"strings"

	"bff.internal/devstack/credentials"
	"bff.internal/mockservices/identity"
)

// redisAddr is where the Redis is, without the password that its URL may have.
func (s *Stack) redisAddr() string { return target(s.RedisURL.Reveal()).Redacted() }

// Banner says where everything listens, who can sign in, and what to try.
func (s *Stack) Banner(w io.Writer) {
	var text strings.Builder
	fmt.Fprintf(&text, `
  The BFF suite runs. Ctrl-C stops it.

    the page     %s/web/

    edge         %s      the single entry point
    bff-mobile   %s      admin %s
    bff-web      %s      admin %s
    bff-partner  %s      admin %s
    identity     %s      users %s
    orders       %s      analytics %s
    redis        %s

  Every user id signs in with the password %s; %s is the demo user. Try, in another terminal:

    curl -s -w '\n' -H "Authorization: Bearer $(curl -s %s/dev/credentials | sed 's/.*"token":"\([^"]*\)".*/\1/')" %s/mobile/dashboard

    curl -s -w '\n' -H 'X-CSRF: 1' -H "Cookie: $(curl -s %s/dev/session | sed 's/.*"cookie":"\([^"]*\)".*/\1/')" %s/web/dashboard

    curl -s -w '\n' -H "X-API-Key: $(curl -s %s/dev/credentials | sed 's/.*"key":"\([^"]*\)".*/\1/')" %s/partner/v1/dashboard

    curl -s -w '\n' -X PUT -d '{"latency":"2s"}' %s/_faults    # DELETE ends it

`, s.Edge, s.Edge, s.Mobile, s.MobileAdmin, s.Web, s.WebAdmin, s.Partner, s.PartnerAdmin,
		s.Issuer, s.Users, s.Orders, s.Analytics, s.redisAddr(), identity.DevPassword, credentials.DemoUser,
		s.Edge, s.Edge, s.Edge, s.Edge, s.Edge, s.Edge, s.Analytics)
	_, _ = io.WriteString(w, strings.ReplaceAll(text.String(), "127.0.0.1", "localhost"))
}
