package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/secret"
	"bff.internal/shared/session"
	"bff.internal/shared/session/sessiontest"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	b := w.browser()
	if landed := w.signIn(t, b, "grace"); landed != "/there" {
		t.Errorf("landed at %q", landed)
	}
	got := b.see(t, "/")
	if got.Token != "access-1-grace" || got.Session.User != (session.User{ID: "grace", Name: "Name of grace"}) || got.Key == "" {
		t.Errorf("the handler sees %+v", got)
	}
	if left := time.Until(got.Session.EndsAt); left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("the session ends in %v", left)
	}
	cookie := b.cookies["__Host-session"]
	// Not ada, who is in many a hexadecimal number.
	for _, key := range server.Keys() {
		value, _ := server.Get(key)
		if strings.Contains(key, cookie) || strings.Contains(key, "grace") || strings.Contains(value, "access-") || strings.Contains(value, "grace") {
			t.Errorf("Redis can read %s = %q", key, value)
		}
		if server.TTL(key) == 0 {
			t.Errorf("%s never ends", key)
		}
	}

	out := b.do(t, http.MethodPost, "/logout")
	if out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `"logoutUrl":"`+issuer+`/bye?client_id=app`) ||
		!strings.Contains(out.Body.String(), "post_logout_redirect_uri=https%3A%2F%2Fapp.test%2F") {
		t.Errorf("logout: %d %s", out.Code, out.Body)
	}
	if _, kept := b.cookies["__Host-session"]; kept {
		t.Error("the cookie is still there")
	}
	b.cookies["__Host-session"] = cookie
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != `Cookie realm="app"` || codeOf(t, rec) != "no_session" {
		t.Errorf("with the old cookie: %d %s", rec.Code, rec.Body)
	}
	if ended := w.endings(); len(ended) != 1 || ended[0].ID != got.Session.ID || ended[0].User.ID != "grace" {
		t.Errorf("ended: %+v", ended)
	}
	if again := b.do(t, http.MethodPost, "/logout"); again.Code != http.StatusOK {
		t.Errorf("logout without a session: %d %s", again.Code, again.Body)
	}
}

func TestTheCookieIsOneThatOnlyThisHostCanSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	login := b.get(t, "/login")
	callback := b.get(t, w.provider.Authorize(t, login.Header().Get("Location"), "ada"))
	set := append(login.Header().Values("Set-Cookie"), callback.Header().Values("Set-Cookie")...)
	wanted := [][]string{
		{"__Host-login-", "SameSite=Lax", "Max-Age=600"},
		{"__Host-session=", "SameSite=Strict", "Max-Age=43200"},
		{"__Host-session-ref=", "SameSite=Lax", "Max-Age=43200"},
	}
	if len(set) != len(wanted) {
		t.Fatalf("cookies: %q", set)
	}
	for i, header := range set {
		for _, want := range append(wanted[i], "Path=/;", "HttpOnly", "Secure") {
			if !strings.Contains(header, want) || strings.Contains(header, "Domain") {
				t.Errorf("%q lacks %q", header, want)
			}
		}
	}
}

func TestACookieThatIsNoSessionIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	good := b.cookies["__Host-session"]
	for _, tt := range []struct {
		name   string
		header []string
	}{
		{"no cookie", nil},
		{"an empty one", []string{"Cookie", "__Host-session="}},
		{"one that somebody made up", []string{"Cookie", "__Host-session=" + strings.Repeat("A", 43)}},
		{"one that is no id", []string{"Cookie", "__Host-session=../../x"}},
		{"a longer one", []string{"Cookie", "__Host-session=" + good + "A"}},
		{"another spelling of the same bits", []string{"Cookie", "__Host-session=" + good + "="}},
		{"two of them", []string{"Cookie", "__Host-session=" + good + "; __Host-session=" + strings.Repeat("A", 43)}},
		{"the same twice", []string{"Cookie", "__Host-session=" + good, "Cookie", "__Host-session=" + good}},
		{"without the prefix", []string{"Cookie", "session=" + good}},
		{"the id in the place of the cookie", []string{"Cookie", "__Host-session=" + b.see(t, "/").Session.ID}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/", "/peek"} {
				rec := w.browser().get(t, path, tt.header...)
				if rec.Code != http.StatusUnauthorized || codeOf(t, rec) != "no_session" || rec.Header().Get("Set-Cookie") != "" {
					t.Errorf("%s: %d %v %s", path, rec.Code, rec.Header(), rec.Body)
				}
			}
		})
	}
}

func TestASessionEndsWhenItIsIdle(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	w.provider.Behave(sessiontest.Behaviour{Lifetime: 24 * time.Hour})
	b := w.browser()
	w.signIn(t, b, "ada")

	server.FastForward(20 * time.Minute)
	if left := time.Until(b.see(t, "/peek").Session.ExpiresAt).Round(time.Minute); left != 10*time.Minute {
		t.Errorf("after 20 idle minutes the session lasts for %v", left)
	}
	b.see(t, "/peek")
	if left := time.Until(b.see(t, "/peek").Session.ExpiresAt).Round(time.Minute); left != 10*time.Minute {
		t.Errorf("looking prolonged the session to %v", left)
	}
	if left := time.Until(b.see(t, "/").Session.ExpiresAt).Round(time.Minute); left != 30*time.Minute {
		t.Errorf("using did not prolong the session: %v", left)
	}
	server.FastForward(31 * time.Minute)
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("after 31 idle minutes: %d", rec.Code)
	}
}

func TestASecondLoginReplacesTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	first, old := b.see(t, "/").Session, b.cookies["__Host-session"]
	w.signIn(t, b, "grace")
	if got := b.see(t, "/").Session; got.User.ID != "grace" || got.ID == first.ID || b.cookies["__Host-session"] == old {
		t.Errorf("session %+v after %+v", got, first)
	}
	b.cookies["__Host-session"] = old
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("the first session lives on: %d", rec.Code)
	}
	if ended := w.endings(); len(ended) != 1 || ended[0].ID != first.ID {
		t.Errorf("ended: %+v", ended)
	}
}

func TestAPlantedCookieIsNotWhatTheLoginKeeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	planted := strings.Repeat("A", 43)
	b.cookies["__Host-session"] = planted
	w.signIn(t, b, "ada")
	if b.cookies["__Host-session"] == planted {
		t.Error("the session has an id that somebody else chose")
	}
	b.cookies["__Host-session"] = planted
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("with the planted cookie: %d", rec.Code)
	}
}

func TestAllSessionsOfAUserCanBeEnded(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	var hers []*browser
	for range 3 {
		b := w.browser()
		w.signIn(t, b, "ada")
		hers = append(hers, b)
	}
	other := w.browser()
	w.provider.Behave(sessiontest.Behaviour{ChangeID: func(c jwt.MapClaims) { c["sid"] = "sid of grace" }})
	w.signIn(t, other, "grace")
	w.provider.Behave(sessiontest.Behaviour{})
	gone := w.browser()
	w.signIn(t, gone, "ada")
	gone.do(t, http.MethodPost, "/logout")

	if n, err := w.sessions.EndSubject(t.Context(), "ada"); n != 3 || err != nil {
		t.Errorf("%d sessions ended: %v", n, err)
	}
	for _, b := range hers {
		if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("a session lives on: %d", rec.Code)
		}
	}
	other.see(t, "/")
	if n, err := w.sessions.EndProviderSession(t.Context(), "sid of grace"); n != 1 || err != nil {
		t.Errorf("%d sessions ended: %v", n, err)
	}
	if rec := other.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("the session of the provider's session lives on: %d", rec.Code)
	}
	if n, err := w.sessions.EndSubject(t.Context(), "nobody"); n != 0 || err != nil {
		t.Errorf("%d sessions of nobody ended: %v", n, err)
	}
	if ended := w.endings(); len(ended) != 5 {
		t.Errorf("%d sessions were told to have ended", len(ended))
	}
	for _, key := range server.Keys() {
		if strings.HasPrefix(key, "session:{") || strings.HasPrefix(key, "session:subject") || strings.HasPrefix(key, "session:provider") {
			t.Errorf("%s is left", key)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	client := connect(t, miniredis.RunT(t).Addr())
	w := newWorld(t, client, nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	keys := func(list string) http.Handler {
		return w.application(t, client, func(c *session.Config) {
			if err := c.Keys.UnmarshalText([]byte(list)); err != nil {
				t.Fatal(err)
			}
		})
	}
	b.app = keys(keyB + ", " + keyA)
	b.see(t, "/")
	second := &browser{app: b.app, cookies: map[string]string{}}
	w.signIn(t, second, "grace")
	b.app, second.app = keys(keyB), keys(keyB)
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("a record of a key that is gone: %d", rec.Code)
	}
	second.see(t, "/")
}

func TestARecordInAnotherPlaceIsNoSession(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	w := newWorld(t, connect(t, server.Addr()), nil)
	ada, grace := w.browser(), w.browser()
	w.signIn(t, ada, "ada")
	w.signIn(t, grace, "grace")
	from, to := "session:{"+ada.see(t, "/").Session.ID+"}", "session:{"+grace.see(t, "/").Session.ID+"}"
	record, err := server.Get(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Set(to, record); err != nil {
		t.Fatal(err)
	}
	if rec := grace.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("grace became ada: %d %s", rec.Code, rec.Body)
	}
	if err := server.Set(from, record[:len(record)-1]+"x"); err != nil {
		t.Fatal(err)
	}
	if rec := ada.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("a changed record: %d %s", rec.Code, rec.Body)
	}
}

func TestALogoutEndsWhatTheSameBrowserHasBesides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	w.provider.Behave(sessiontest.Behaviour{ChangeID: func(c jwt.MapClaims) { c["sid"] = "one browser" }})
	first, second, elsewhere := w.browser(), w.browser(), w.browser()
	w.signIn(t, first, "ada") // as tabs do that sign in at once: the last cookie stays
	w.signIn(t, second, "ada")
	w.provider.Behave(sessiontest.Behaviour{})
	w.signIn(t, elsewhere, "ada")
	if rec := second.do(t, http.MethodPost, "/logout"); rec.Code != http.StatusOK {
		t.Errorf("logout: %d %s", rec.Code, rec.Body)
	}
	if rec := first.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("the other tab's session: %d", rec.Code)
	}
	elsewhere.see(t, "/")
}

func TestALogoutEndsEverySessionThatTheBrowserSends(t *testing.T) {
	t.Parallel()
	client := connect(t, miniredis.RunT(t).Addr())
	w := newWorld(t, client, nil)
	one, other := w.browser(), w.browser()
	w.signIn(t, one, "ada")
	w.signIn(t, other, "grace")
	both := []string{"Cookie", "__Host-session=" + one.cookies["__Host-session"] + "; __Host-session=" + other.cookies["__Host-session"]}
	// This replica has lost the key of both, and ends them all the same.
	blind := &browser{cookies: map[string]string{}, app: w.application(t, client, func(c *session.Config) { c.Keys = secret.New(keyB) })}
	if rec := blind.do(t, http.MethodPost, "/logout", both...); rec.Code != http.StatusOK {
		t.Errorf("logout: %d %s", rec.Code, rec.Body)
	}
	for _, b := range []*browser{one, other} {
		b.app = w.Handler
		if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("afterwards: %d %s", rec.Code, rec.Body)
		}
	}
}

func TestALoginThatAnotherSiteBeganReplacesTheSessionToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connect(t, miniredis.RunT(t).Addr()), nil)
	b := w.browser()
	w.signIn(t, b, "ada")
	old := b.cookies["__Host-session"]
	delete(b.cookies, "__Host-session") // Strict, so it does not come along
	w.signIn(t, b, "grace")
	b.see(t, "/")
	b.cookies["__Host-session"] = old
	if rec := b.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("the session before: %d", rec.Code)
	}
	victim, attacker := w.browser(), w.browser()
	w.signIn(t, victim, "ada")
	attacker.cookies["__Host-session-ref"] = victim.see(t, "/").Session.ID // not sealed by us
	w.signIn(t, attacker, "mallory")
	victim.see(t, "/")
}

func TestTheListOfAUsersSessionsLastsAsLongAsTheLongest(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := connect(t, server.Addr())
	w := newWorld(t, client, nil)
	long := w.browser()
	w.signIn(t, long, "ada")
	sessions := w.sessions
	short := &browser{cookies: map[string]string{}, app: w.application(t, client, func(c *session.Config) { c.Idle, c.Lifetime = time.Minute, time.Minute })}
	w.signIn(t, short, "ada")
	server.FastForward(2 * time.Minute)
	if n, err := sessions.EndSubject(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("%d sessions ended: %v", n, err)
	}
	if rec := long.get(t, "/"); rec.Code != http.StatusUnauthorized {
		t.Errorf("the long one lives on: %d", rec.Code)
	}
}
