package session

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// loginWithin is how long a person may take to sign in.
	loginWithin = 10 * time.Minute
	maxState    = 8 << 10
	// statePurpose keeps a sealed state from being taken for anything else that the same keys seal.
	statePurpose = "login state"
)

var (
	errState        = errors.New("the state is not one of ours")
	errStateForeign = errors.New("the login was begun by another browser")
	errStateExpired = errors.New("the login took too long")
)

// attempt is a login that is under way. It is kept nowhere: the provider carries it, sealed, as the state.
type attempt struct {
	ID       string    `json:"id"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	ReturnTo string    `json:"to"`
	Binding  string    `json:"binding"`
	Replaces string    `json:"replaces,omitzero"` // the session that this browser has so far
	Restarts int       `json:"restarts,omitzero"`
	Expires  time.Time `json:"exp"`
}

func (k keyring) sealState(a attempt) (string, error) {
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(k.seal(plain, statePurpose)), nil
}

// openState returns the login that the state carries, for the browser that began it.
func (k keyring) openState(r *http.Request, state string) (attempt, error) {
	var a attempt
	sealed, err := decodeState(state)
	if err != nil {
		return a, err
	}
	plain, err := k.open(sealed, statePurpose)
	if err != nil {
		return a, errors.Join(errState, err)
	}
	if err := json.Unmarshal(plain, &a); err != nil {
		return a, errors.Join(errState, err)
	}
	if !a.boundTo(r) {
		return a, errStateForeign
	}
	if !time.Now().Before(a.Expires) {
		return a, errStateExpired
	}
	return a, nil
}

func decodeState(state string) ([]byte, error) {
	if len(state) > maxState {
		return nil, errState
	}
	// The decoder would skip line ends, and one state would have many spellings.
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil || strings.ContainsAny(state, "\r\n") {
		return nil, errState
	}
	return sealed, nil
}

func (a attempt) boundTo(r *http.Request) bool {
	bound := 0
	for _, cookie := range bindings(r) {
		bound |= subtle.ConstantTimeCompare([]byte(hashed("binding", cookie.Value)), []byte(a.Binding))
	}
	return bound == 1
}

// bind ties logins to this browser, for as long as one may take from now on.
func bind(w http.ResponseWriter, r *http.Request) (binding string) {
	name, value := bindingPrefix+rand.Text()[:8], newID()
	if known := bindings(r); len(known) > 0 {
		name, value = known[0].Name, known[0].Value
	}
	// Lax, because it is the provider who sends the browser back.
	setCookie(w, name, value, loginWithin, http.SameSiteLaxMode)
	return hashed("binding", value)
}
