package stack

import (
	"fmt"
	"io"
	"strings"

	"bff.internal/mockservices/identity"
)

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

  Every user id signs in with the password %s; %s is the demo user. Try, in another terminal:

    curl -s -w '\n' -H "Authorization: Bearer $(curl -s %s/dev/credentials | sed 's/.*"token":"\([^"]*\)".*/\1/')" %s/mobile/dashboard

    curl -s -w '\n' -H 'X-CSRF: 1' -H "Cookie: $(curl -s %s/dev/session | sed 's/.*"cookie":"\([^"]*\)".*/\1/')" %s/web/dashboard

    curl -s -w '\n' -X PUT -d '{"latency":"2s"}' %s/_faults    # DELETE ends it

`, s.Edge, s.Edge, s.Mobile, s.MobileAdmin, s.Web, s.WebAdmin, s.Partner, s.PartnerAdmin,
		s.Issuer, s.Users, s.Orders, s.Analytics, identity.DevPassword, demoUser, s.Edge, s.Edge, s.Edge, s.Edge, s.Analytics)
	_, _ = io.WriteString(w, strings.ReplaceAll(text.String(), "127.0.0.1", "localhost"))
}
