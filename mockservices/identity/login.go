package identity

import (
	"net/http"
	"strings"
	"time"
)

const (
	loginLifetime = 10 * time.Minute
	loginCookies  = "identity_login_" // with the start of the request's id after it, so that many tabs can be open
)

// login is an authorization request that waits for a user.
type login struct {
	request authRequest
	browser string // what the browser that made the request keeps in a cookie
	expires time.Time
}

// askToSignIn sends the browser to the login page.
func (p *Provider) askToSignIn(w http.ResponseWriter, request authRequest) {
	id, waiting := secret(), login{request: request, browser: secret(), expires: time.Now().Add(loginLifetime)}
	p.memory.mu.Lock()
	p.memory.logins.Put(id, waiting)
	p.memory.mu.Unlock()
	p.setCookie(w, loginCookie(id), loginPath, waiting.browser, loginLifetime)
	redirect(w, loginPath+"?request="+id)
}

func loginCookie(id string) string {
	const enough = 8
	return loginCookies + id[:min(len(id), enough)]
}

// waiting is the authorization request that r is about; false when it is too old, unknown or another browser's.
func (p *Provider) waiting(r *http.Request) (id string, request authRequest, ok bool) {
	id = r.URL.Query().Get("request")
	p.memory.mu.Lock()
	found, known := p.memory.logins.Get(id)
	p.memory.mu.Unlock()
	if !known || !time.Now().Before(found.expires) || !same(cookieValue(r, loginCookie(id)), found.browser) {
		return "", authRequest{}, false
	}
	return id, found.request, true
}

// loginForm is what the login page shows.
type loginForm struct {
	Client   string
	Username string
	Problem  string // empty at first
}

// showLogin is GET /login.
func (p *Provider) showLogin(w http.ResponseWriter, r *http.Request) {
	_, request, ok := p.waiting(r)
	if !ok {
		p.loginOver(w)
		return
	}
	p.loginPage(w, http.StatusOK, request, loginForm{Username: request.loginHint})
}

// signIn is POST /login. The request goes on waiting afterwards, so that an impatient second click is served as well.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request) {
	id, request, ok := p.waiting(r)
	if !ok {
		p.loginOver(w)
		return
	}
	typed, err := parameters(w, r)
	if err != nil {
		p.refuse(w, err)
		return
	}
	user := strings.TrimSpace(typed.Get("username"))
	form := loginForm{Username: user}
	switch {
	case !validUser(user):
		form.Problem = "A user name is 1 to 64 letters, digits and signs without spaces."
	case !same(typed.Get("password"), p.password):
		form.Problem = "The user name or the password is wrong."
	case request.user != "" && user != request.user:
		form.Problem = "Please sign in as the user who was signed in before."
	default:
		visit, cookie := p.memory.signIn(cookieValue(r, sessionCookie), user)
		p.setCookie(w, sessionCookie, "/", cookie, sessionLifetime)
		p.setCookie(w, loginCookie(id), loginPath, "", 0)
		p.respondCode(w, request, visit)
		return
	}
	// Browsers show the page of a 401 when they do not know the scheme.
	w.Header().Set("WWW-Authenticate", `Cookie realm="identity"`)
	p.loginPage(w, http.StatusUnauthorized, request, form)
}

func (p *Provider) loginPage(w http.ResponseWriter, status int, request authRequest, form loginForm) {
	form.Client = request.client.id
	p.page(w, status, "login.html", form, request.redirectURI)
}

func (p *Provider) loginOver(w http.ResponseWriter) {
	p.message(w, http.StatusBadRequest, message{
		Title: "This sign-in is over",
		Text:  "It took longer than ten minutes, or it was begun in another browser. Go back to the application and sign in again.",
	})
}
