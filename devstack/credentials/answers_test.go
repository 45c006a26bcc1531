package credentials_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/devstack/credentials"
	"bff.internal/shared/apikey"
	"bff.internal/shared/platform"
	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
)

// scripted is an Identity that lets everybody in at once, and answers with what change leaves of a good answer.
func scripted(change func(back url.Values), status int, token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_, _ = io.WriteString(w, `{"issuer":"`+issuer+`","authorization_endpoint":"`+issuer+`/authorize","token_endpoint":"`+issuer+`/token"}`)
		case "/authorize":
			back := url.Values{"state": {r.FormValue("state")}, "iss": {issuer}, "code": {"c"}}
			change(back)
			http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+back.Encode(), http.StatusFound)
		default:
			w.WriteHeader(status)
			_, _ = io.WriteString(w, token)
		}
	})
}

func TestAnIdentityThatAnswersSomethingElseGivesNoToken(t *testing.T) {
	t.Parallel()
	const good = `{"access_token":"at"}`
	as := func(name, value string) func(url.Values) { return func(back url.Values) { back.Set(name, value) } }
	for _, tt := range []struct {
		name   string
		change func(url.Values)
		status int
		token  string
		says   string // "" where all is well
	}{
		{"as it should be", as("code", "c"), 200, good, ""},
		{"an answer to somebody else", as("state", "other"), 200, good, "answers something else than it was asked"},
		{"an answer of somebody else", as("iss", "http://evil.test"), 200, good, "answers something else than it was asked"},
		{"no code", as("code", ""), 200, good, "answers something else than it was asked"},
		{"a refusal", as("error", "access_denied"), 200, good, "/authorize says access_denied"},
		{"no token", as("code", "c"), 200, `{}`, "/token gives no token"},
		{"a code that is refused", as("code", "c"), 400, good, "/token says 400 Bad Request"},
		{"an answer without an end", as("code", "c"), 200, `{"x":"` + strings.Repeat("x", 64<<10) + `","access_token":"at"}`, "/token gives no answer that can be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.identity = scripted(tt.change, tt.status, tt.token)
			answer := w.ask(t, http.MethodGet, "http://localhost/dev/credentials")
			var got problem.Problem
			_ = json.Unmarshal(answer.Body.Bytes(), &got)
			if tt.says == "" {
				if answer.Code != http.StatusOK {
					t.Errorf("%d %s", answer.Code, answer.Body)
				}
			} else if answer.Code != http.StatusBadGateway || !strings.Contains(got.Detail, tt.says) {
				t.Errorf("%d %s, want … %s", answer.Code, answer.Body, tt.says)
			}
		})
	}
}

func TestALoginTakesNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/dev/credentials", "/dev/session"} {
		w := newWorld(t)
		w.cfg.Within = 50 * time.Millisecond
		w.identity = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		begun := time.Now()
		w.ask(t, http.MethodGet, "http://localhost"+path)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s took %v", path, took)
		}
	}
}

func TestHEADAnswersLikeGETAndMistakesAreNotLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if answer := w.ask(t, http.MethodHead, "http://localhost/dev/credentials"); answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.ask(t, http.MethodGet, "http://localhost/dev/credentials?user=")
	if w.log.Len() > 0 {
		t.Errorf("the log: %s", &w.log)
	}
	gone := httptest.NewRequestWithContext(leftContext(t), http.MethodGet, "http://localhost/dev/session", http.NoBody)
	credentials.New(w.cfg).ServeHTTP(httptest.NewRecorder(), gone)
	if w.log.Len() > 0 {
		t.Errorf("the log, of a client that has left: %s", &w.log)
	}
}

func TestTheDemoKeyIsTheSameForTwelveHours(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	redisURL := secret.New("redis://" + server.Addr())
	synctest.Test(t, func(t *testing.T) {
		demo := credentials.NewDemoKey(redisURL, apikey.Config{Pepper: secret.New("a-pepper-of-at-least-32-characters")}, []string{"dashboard:read"})
		var asking sync.WaitGroup
		keys := make([]string, 10)
		for i := range keys {
			asking.Go(func() { keys[i], _ = demo.Get(t.Context()) })
		}
		asking.Wait()
		time.Sleep(12*time.Hour - time.Second)
		keys[9] = get(t, demo)
		for i, key := range keys {
			if key == "" || key != keys[0] {
				t.Errorf("key %d is %q, want %q", i, key, keys[0])
			}
		}
		time.Sleep(2 * time.Second)
		if get(t, demo) == keys[0] {
			t.Error("after twelve hours it is still the same")
		}
		client, err := platform.OpenRedis(redisURL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Close() }()
		list, err := apikey.NewStore(client).List(t.Context())
		if err != nil || len(list) != 2 {
			t.Fatalf("%v, %v", list, err)
		}
		for _, info := range list {
			if info.Partner != "acme" || info.Expires.Sub(info.Created) != 24*time.Hour {
				t.Errorf("%+v", info)
			}
		}
	})
}

func get(t *testing.T, demo *credentials.DemoKey) string {
	t.Helper()
	key, err := demo.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func leftContext(t *testing.T) context.Context {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	return ctx
}

func TestThePasswordIsTypedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bff := w.edge
	w.edge = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s: the edge is sent what is Identity's", r.Method, r.URL.Path)
		}
		bff.ServeHTTP(rw, r)
	})
	w.ask(t, http.MethodGet, "http://localhost/dev/session")
}

func TestTheCookiesOfALoginComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bff, came := w.edge, false
	w.edge = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if begun, err := r.Cookie("__Host-login"); r.URL.Path == "/web/callback" && err == nil && begun.Value == "s" {
			came = true
		}
		bff.ServeHTTP(rw, r)
	})
	w.ask(t, http.MethodGet, "http://localhost/dev/session")
	if !came {
		t.Error("the callback is visited without the cookie of its login")
	}
}
