package credentials

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mostPages is how many pages a login may take.
const mostPages = 10

// visitor is a browser with as much of one as a login needs: it keeps cookies, Secure ones too although the dev stack
// has no TLS, as browsers do for localhost.
type visitor struct {
	client  *http.Client
	servers map[string]url.URL           // where they are reached from here, by how browsers call them
	cookies map[string]map[string]string // values by name, by host
}

func (h *Handler) newVisitor() visitor {
	return visitor{client: h.client, cookies: make(map[string]map[string]string), servers: map[string]url.URL{
		h.cfg.Edge.String():   cmp.Or(h.cfg.EdgeInternal, h.cfg.Edge),
		h.cfg.Issuer.String(): cmp.Or(h.cfg.IssuerInternal, h.cfg.Issuer),
	}}
}

// newClient returns a client that leaves redirects to a visitor. Logins are rare: each request has a connection of its
// own, so that nobody has to close what they leave.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// page is what a visitor finds.
type page struct {
	status int
	next   *url.URL // where it sends to, or nil
}

// signIn goes from page to page, fills in the first one that does not send it on, and returns the page at which it has
// arrived.
func (v visitor) signIn(ctx context.Context, at *url.URL, login url.Values, arrived func(page) bool) (page, error) {
	var typed url.Values // what is posted to the next page
	for range mostPages {
		found, err := v.visit(ctx, at, typed)
		if err != nil {
			return page{}, err
		}
		typed = nil
		switch {
		case arrived(found):
			return found, nil
		case found.next != nil:
			at = found.next
		case found.status == http.StatusOK && login != nil:
			typed, login = login, nil
		default:
			return page{}, fmt.Errorf("%s://%s%s says %d %s", at.Scheme, at.Host, at.Path, found.status, http.StatusText(found.status))
		}
	}
	return page{}, errors.New("the pages go round in circles")
}

// visit asks for a page, or posts a form to it.
func (v visitor) visit(ctx context.Context, at *url.URL, form url.Values) (page, error) {
	resp, err := v.send(ctx, at, form)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	found := page{status: resp.StatusCode}
	if location := resp.Header.Get("Location"); location != "" {
		if found.next, err = at.Parse(location); err != nil {
			return page{}, fmt.Errorf("%s://%s%s sends nowhere", at.Scheme, at.Host, at.Path)
		}
	}
	return found, nil
}

// send sends a GET, or the POST of a form, with the cookies of its host and keeps those of the answer, whose body the
// caller closes.
func (v visitor) send(ctx context.Context, to *url.URL, form url.Values) (*http.Response, error) {
	outside := to.Scheme + "://" + to.Host
	server, known := v.servers[outside]
	if !known {
		return nil, fmt.Errorf("%s is neither the edge nor Identity", outside)
	}
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	inside := *to
	inside.Scheme, inside.Host = server.Scheme, server.Host
	req, err := http.NewRequestWithContext(ctx, method, inside.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Host = to.Host
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Cookie", v.cookieHeader(to.Host))
	resp, err := v.client.Do(req)
	if err != nil {
		// The URL around the error may hold a code.
		if around, ok := errors.AsType[*url.Error](err); ok {
			err = around.Err
		}
		return nil, fmt.Errorf("%s does not answer: %w", outside, err)
	}
	v.keepCookies(to.Host, resp)
	return resp, nil
}

func (v visitor) cookieHeader(host string) string {
	kept := slices.Sorted(maps.Keys(v.cookies[host]))
	for i, name := range kept {
		kept[i] = name + "=" + v.cookies[host][name]
	}
	return strings.Join(kept, "; ")
}

func (v visitor) keepCookies(host string, from *http.Response) {
	if v.cookies[host] == nil {
		v.cookies[host] = make(map[string]string)
	}
	for _, set := range from.Cookies() {
		if set.MaxAge < 0 || set.Value == "" {
			delete(v.cookies[host], set.Name)
			continue
		}
		v.cookies[host][set.Name] = set.Value
	}
}
