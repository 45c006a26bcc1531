package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/auth"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

func TestAuthorizationHeaders(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	v := newIssuer(ed).verifier()
	token := ed.mint()
	missing := answer{401, "missing_token", `Bearer realm="bff-mobile"`}
	malformed := func(what string) answer {
		return answer{400, "invalid_request", `Bearer realm="bff-mobile", error="invalid_request", error_description="` + what + `"`}
	}
	const alien = "the token has characters that no token has"
	for _, tt := range []struct {
		name    string
		headers []string
		want    answer
	}{
		{"a bearer token is accepted", []string{"Bearer " + token}, accepted},
		{"the scheme has no case", []string{"bEaReR " + token}, accepted},
		{"more than one space is one", []string{"Bearer   " + token}, accepted},
		{"no header is no credentials", nil, missing},
		{"an empty header is no credentials", []string{""}, missing},
		{"another scheme is no credentials", []string{"Basic dXNlcjpwYXNz"}, missing},
		{"a bound token's scheme is no bearer's", []string{"DPoP " + token}, missing},
		{"a token alone is no credentials", []string{token}, missing},
		{"a longer scheme is another", []string{"Bearerish " + token}, missing},
		{"the scheme alone is malformed", []string{"Bearer"}, malformed("the token is missing")},
		{"the scheme and spaces are malformed", []string{"Bearer   "}, malformed("the token is missing")},
		{"two headers are malformed", []string{"Bearer " + token, "Bearer " + token}, malformed("it comes more than once")},
		{"two headers of two schemes are malformed", []string{"Basic dXNlcjpwYXNz", "Bearer " + token}, malformed("it comes more than once")},
		{"two headers that were merged are malformed", []string{"Bearer " + token + ", Bearer " + token}, malformed(alien)},
		{"two tokens are malformed", []string{"Bearer " + token + " " + token}, malformed(alien)},
		{"a tab is malformed", []string{"Bearer \t" + token}, malformed(alien)},
		{"a quoted token is malformed", []string{`Bearer "` + token + `"`}, malformed(alien)},
		{"letters beyond ASCII are malformed", []string{"Bearer tökén"}, malformed(alien)},
		{"padding alone is malformed", []string{"Bearer =="}, malformed(alien)},
		{"padding inside is malformed", []string{"Bearer a=b"}, malformed(alien)},
		{"an opaque token is well-formed and invalid", []string{"Bearer aZ09-._~+/=="}, invalid("the token is malformed")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, ask(v, tt.headers...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// seen is what a handler behind the middleware finds.
type seen struct {
	Caller      auth.Caller
	Credentials upstream.Credentials
	Log         map[string]string
}

// pass sends a token through the middleware, which has to accept it.
func pass(tb testing.TB, v *auth.Verifier, token string) seen {
	tb.Helper()
	var got seen
	fail := func(_ http.ResponseWriter, _ *http.Request, err error) { tb.Errorf("refused: %v", err) }
	handler := v.Bearer(fail)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got.Caller, _ = auth.CallerFrom(r.Context())
		got.Credentials, _ = upstream.CredentialsFrom(r.Context())
		got.Log = map[string]string{}
		for _, attr := range telemetry.EventFrom(r.Context()).Attrs() {
			got.Log[attr.Key] = attr.Value.String()
		}
	}))
	ctx := telemetry.WithEvent(context.Background(), telemetry.NewEvent("r1"))
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	return got
}

func TestWhatAHandlerFinds(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	v := newIssuer(ed).verifier()
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	token := ed.mint(claim("exp", expires.Unix()))
	// The second time, the token is remembered.
	for range 2 {
		got := pass(t, v, token)
		if got.Credentials.Token.Reveal() != token {
			t.Error("the token to forward is not the one that came")
		}
		if strings.Contains(got.Credentials.Key, token) {
			t.Error("the key holds the token")
		}
		want := auth.Caller{Kind: "user", ID: "user-1", ClientID: "app", Scopes: []string{"openid", "profile"}, Expires: expires}
		if diff := cmp.Diff(want, got.Caller); diff != "" {
			t.Error(diff)
		}
		if got.Log["callerKind"] != "user" || got.Log["callerId"] != "user-1" {
			t.Errorf("the log does not know the caller: %v", got.Log)
		}
	}
	if _, ok := auth.CallerFrom(t.Context()); ok {
		t.Error("there is a caller where nobody authenticated")
	}
}

func TestKeysTellCallersApart(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	v := newIssuer(ed).verifier()
	as := func(client, subject, scope string) []edit {
		return []edit{claim("client_id", client), claim("sub", subject), claim("scope", scope)}
	}
	for _, tt := range []struct {
		name string
		a, b []edit
		same bool
	}{
		{"another token of the same caller", nil, []edit{claim("jti", "2")}, true},
		{"the same scopes in another order", as("c", "s", "a b"), as("c", "s", "b a"), true},
		{"another subject", as("c", "s", "a"), as("c", "t", "a"), false},
		{"another client", as("c", "s", "a"), as("d", "s", "a"), false},
		{"another scope", as("c", "s", "a"), as("c", "s", "b"), false},
		{"one scope less", as("c", "s", "a b"), as("c", "s", "a"), false},
		{"a letter of the subject moved to the client", as("c", "st", "a"), as("cs", "t", "a"), false},
		{"a scope moved to the subject", as("c", "s1:a", ""), as("c", "s", "1:a"), false},
		{"a subject that imitates what follows", as("c", "s1:a1:b", "b"), as("c", "s", "a b"), false},
		{"a name that imitates the mark between names", as("c", "s:a", ""), as("c", "s", "a:"), false},
		{"a mark that may belong to either name", as("c:s", "t", "a"), as("c", "s:t", "a"), false},
		{"client and subject exchanged", as("x", "y", "a"), as("y", "x", "a"), false},
		{"no client", as("", "s", "a"), as("s", "s", "a"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := pass(t, v, ed.mint(tt.a...)).Credentials.Key, pass(t, v, ed.mint(tt.b...)).Credentials.Key
			if (a == b) != tt.same {
				t.Errorf("keys %q and %q; want the same: %v", a, b, tt.same)
			}
		})
	}
}

func TestRequiredScopes(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	identity := newIssuer(ed)
	cfg := identity.config()
	cfg.RequiredScopes = []string{"openid", "orders:read"}
	v := auth.NewVerifier(cfg, identity, slog.New(slog.DiscardHandler))
	forbidden := answer{
		403, "insufficient_scope",
		`Bearer realm="bff-mobile", error="insufficient_scope", error_description="the token lacks a scope", scope="openid orders:read"`,
	}
	for _, tt := range []struct {
		name string
		edit edit
		want answer
	}{
		{"all of them and more are enough", claim("scope", "profile orders:read openid"), accepted},
		{"one of them is not", claim("scope", "openid"), forbidden},
		{"a part of a name is not", claim("scope", "openid orders:read:all"), forbidden},
		{"none is not", claim("scope", nil), forbidden},
		{"an expired token is invalid before it lacks a scope", func(_, claims map[string]any) {
			claims["scope"], claims["exp"] = "", 1
		}, invalid("the token is expired")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				if diff := cmp.Diff(tt.want, ask(v, "Bearer "+ed.mint(tt.edit))); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestTheLogHasTheReasonAndNoToken(t *testing.T) {
	t.Parallel()
	ed := newSigner(t, "ed", "EdDSA")
	token := ed.mint(head("kid", "nobody\n"))
	_, err := newIssuer(ed).verifier().Verify(t.Context(), token)
	const want = `401 invalid_token: The access token was refused: the token is signed with an unknown key.: ` +
		`the token is signed with an unknown key: kid "nobody\n"`
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("%v is no problem", err)
	}
	recorder := httptest.NewRecorder()
	if err := p.Write(recorder); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(recorder.Body.String(), "nobody") {
		t.Errorf("the caller sees the cause: %s", recorder.Body)
	}
}
