package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bff.internal/mockservices/identity"
)

// signInWithin bounds a whole login.
const signInWithin = 10 * time.Second

// SignIn signs the user in at bff-web as a browser would, page by page, and returns the cookie that a browser would
// have then, as it goes into the header Cookie.
func (s *Stack) SignIn(ctx context.Context, user string) (cookie string, err error) {
	ctx, cancel := context.WithTimeout(ctx, signInWithin)
	defer cancel()
	v := visitor{client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, cookies: map[string]string{}}

	at := s.external
	at.Path = "/web/login"
	form := url.Values{"username": {user}, "password": {identity.DevPassword}}
	var typed url.Values // what is posted to the next page
	for range 10 {
		page, err := v.visit(ctx, &at, typed)
		if err != nil {
			return "", err
		}
		typed = nil
		switch {
		case page.session != "":
			return page.session, nil
		case page.next != nil:
			at = *page.next
		case page.status == http.StatusOK && form != nil:
			typed, form = form, nil // the login page, once
		default:
			return "", fmt.Errorf("signing in stopped at %s with %d", at.Path, page.status)
		}
	}
	return "", errors.New("signing in goes round in circles")
}

// sessionCookie is that of bff-web.
const sessionCookie = "__Host-session"

// visitor is a browser with as much of one as a login needs: it keeps cookies, Secure ones too although the dev stack
// has no TLS, as browsers do for localhost.
type visitor struct {
	client  *http.Client
	cookies map[string]string // the header Cookie, by host
}

// page is what a visitor finds.
type page struct {
	status  int
	next    *url.URL // where it sends to, or nil
	session string   // the session's cookie, or ""
}

// visit asks for a page, or posts a form to it.
func (v visitor) visit(ctx context.Context, at *url.URL, form url.Values) (page, error) {
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(body))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Cookie", v.cookies[at.Host])
	resp, err := v.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	found := page{status: resp.StatusCode}
	if next, err := resp.Location(); err == nil {
		found.next = next
	}
	for _, set := range resp.Cookies() {
		if v.cookies[at.Host] != "" {
			v.cookies[at.Host] += "; "
		}
		v.cookies[at.Host] += set.Name + "=" + set.Value
		if set.Name == sessionCookie {
			found.session = set.Name + "=" + set.Value
		}
	}
	return found, nil
}
