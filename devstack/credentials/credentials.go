// Package credentials gets what scripts need to call the BFFs, the way a person's client does: over HTTP alone, through
// the edge and the login page of Identity.
package credentials

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"bff.internal/shared/problem"
)

// DemoUser is who signs in unless somebody else is asked for. Every user id is a user.
const DemoUser = "ada"

// Handler answers GET /dev/credentials?user= and GET /dev/session?user=, to whoever calls this host localhost or by its
// address. It needs no closing and may be used concurrently.
type Handler struct {
	cfg    Config
	client *http.Client
	routes map[string]func(ctx context.Context, user string) (any, error)
}

// New returns the handler of a configuration that is valid.
func New(cfg Config) *Handler {
	cfg.Within = cmp.Or(cfg.Within, signInWithin)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{cfg: cfg, client: newClient()}
	h.routes = map[string]func(context.Context, string) (any, error){
		"/dev/credentials": h.credentials,
		"/dev/session":     h.session,
	}
	return h
}

// ServeHTTP is [http.Handler]'s.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := h.answer(r)
	if err != nil {
		p := problem.From(err)
		if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
			h.cfg.Log.WarnContext(r.Context(), "no credentials", "path", r.URL.Path, "error", err.Error())
		}
		_ = p.Write(w) // the client may have left; there is nobody to tell
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(body, '\n')) //nolint:gosec // JSON that says so; and as above
}

// answer is the JSON of what r asks for.
func (h *Handler) answer(r *http.Request) ([]byte, error) {
	route, ok := h.routes[r.URL.Path]
	switch {
	case !ok:
		return nil, problem.New(http.StatusNotFound, "not_found", "There is nothing here but /dev/credentials and /dev/session.")
	case !local(r.Host):
		return nil, problem.New(http.StatusMisdirectedRequest, "wrong_host", "This path answers to localhost or an address.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return nil, problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This path answers GET.").With("Allow", "GET, HEAD")
	}
	user, err := userOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	value, err := route(r.Context(), user)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// local refuses names that somebody could point here: a page of theirs would read the answer (DNS rebinding).
func local(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	_, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil
}

var userID = regexp.MustCompile(`^[!-~]{1,64}$`)

// userOf is who the query is about: the demo user, unless it says somebody else.
func userOf(query url.Values) (string, error) {
	user := DemoUser
	if query.Has("user") {
		user = query.Get("user")
	}
	if !userID.MatchString(user) {
		return "", problem.New(http.StatusBadRequest, "invalid_user", "user is an id of 1 to 64 visible ASCII characters.")
	}
	return user, nil
}

// credentials is the answer of /dev/credentials.
type credentials struct {
	Mobile  mobileCredentials   `json:"mobile"`
	Web     webCredentials      `json:"web"`
	Partner *partnerCredentials `json:"partner,omitempty"`
}

type mobileCredentials struct {
	// Token is an access token of the mobile app.
	Token string `json:"token"`
}

// webCredentials is what a person types into the login page.
type webCredentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type partnerCredentials struct {
	Key string `json:"key"`
}

func (h *Handler) credentials(ctx context.Context, user string) (any, error) {
	token, err := h.Token(ctx, user)
	if err != nil {
		return nil, notSignedIn(err)
	}
	found := credentials{
		Mobile: mobileCredentials{Token: token},
		Web:    webCredentials{Username: user, Password: h.cfg.Password},
	}
	if h.cfg.PartnerKey != nil {
		ctx, cancel := context.WithTimeout(ctx, h.cfg.Within)
		defer cancel()
		key, err := h.cfg.PartnerKey(ctx)
		if err != nil {
			return nil, problem.New(http.StatusBadGateway, "no_partner_key", "The key of the demo partner could not be had.").Because(err)
		}
		found.Partner = &partnerCredentials{Key: key}
	}
	return found, nil
}

func (h *Handler) session(ctx context.Context, user string) (any, error) {
	cookie, err := h.SignIn(ctx, user)
	if err != nil {
		return nil, notSignedIn(err)
	}
	return struct {
		Cookie string `json:"cookie"`
	}{cookie}, nil
}

// notSignedIn tells err, in which there is nothing that anybody could use: who reads it wants to know what is away.
func notSignedIn(err error) error {
	return problem.New(http.StatusBadGateway, "sign_in_failed", "The user could not be signed in: "+err.Error()+".")
}

// signInWithin bounds a whole login.
const signInWithin = 10 * time.Second
