package identity

import (
	"errors"
	"net/http"
	"net/url"
)

// ending is a request to sign out (OpenID Connect RP-Initiated Logout 1.0).
type ending struct {
	asked  url.Values
	client client // the zero value when it is not named
	sid    string // of the session that the hint is about; empty without a good hint
}

// endSession is the end session endpoint. A client that has an ID token of the browser's session may end it at once;
// in every other case the user is asked.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	request, err := p.ending(w, r)
	if err != nil {
		p.refuse(w, err)
		return
	}
	visit, signedIn := p.visitor(r)
	switch {
	case !signedIn && request.sid == "" && r.Method == http.MethodPost:
		// Another site's POST comes without our cookies. Asked again by GET, it comes with them.
		redirect(w, endSessionPath+"?"+request.asked.Encode())
		return
	case signedIn && visit.sid != request.sid && !request.confirmed(r, visit):
		p.askToSignOut(w, request, visit)
		return
	case signedIn:
		p.memory.end(visit.sid)
		p.setCookie(w, sessionCookie, "/", "", 0)
	}
	p.memory.end(request.sid)
	p.signedOut(w, request)
}

func (p *Provider) ending(w http.ResponseWriter, r *http.Request) (ending, error) {
	asked, err := parameters(w, r)
	if err != nil {
		return ending{}, err
	}
	id := asked.Get("client_id")
	// A hint that is no good is as none: the user can still sign out, after being asked.
	hint, noHint := p.hint(asked.Get("id_token_hint"))
	if noHint == nil {
		if id != "" && id != hint.Audience {
			return ending{}, errors.New("the id_token_hint is not one of the client")
		}
		id = hint.Audience
	}
	return ending{asked: asked, client: p.clients[id], sid: hint.SessionID}, nil
}

// confirmed reports whether the request comes from the page that asked.
func (e ending) confirmed(r *http.Request, by visit) bool {
	return r.Method == http.MethodPost && same(e.asked.Get("confirmation"), by.confirmation)
}

// goesTo is where the browser goes afterwards; empty when that was not asked for, or the client may not have it.
func (e ending) goesTo() string {
	if uri := e.asked.Get("post_logout_redirect_uri"); e.client.endsAt(uri) {
		return uri
	}
	return ""
}

// askToSignOut shows a page with a button that sends the same request again, confirmed.
func (p *Provider) askToSignOut(w http.ResponseWriter, request ending, by visit) {
	again := map[string]string{"confirmation": by.confirmation}
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if value := request.asked.Get(name); value != "" {
			again[name] = value
		}
	}
	p.page(w, http.StatusOK, "confirm.html", struct {
		User   string
		Action string
		Again  map[string]string
	}{by.user, endSessionPath, again}, request.goesTo())
}

func (p *Provider) signedOut(w http.ResponseWriter, request ending) {
	uri := request.goesTo()
	if uri == "" {
		p.message(w, http.StatusOK, message{Title: "You are signed out", Text: "You can close this page."})
		return
	}
	if state := request.asked.Get("state"); state != "" {
		uri += "?" + url.Values{"state": {state}}.Encode()
	}
	redirect(w, uri)
}
