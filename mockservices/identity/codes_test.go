package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
	"bff.internal/mockservices/token"
)

func TestCodeIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client string
		change []string
		status int
		code   string
	}{
		{"with a wrong verifier", "bff-web", []string{"code_verifier", verifier + "x"}, 400, "invalid_grant"},
		{"mobile: with a wrong verifier", "mobile-app", []string{"code_verifier", verifier + "x"}, 400, "invalid_grant"},
		{"with the challenge as the verifier", "bff-web", []string{"code_verifier", asking("bff-web").Get("code_challenge")}, 400, "invalid_grant"},
		{"without a verifier", "bff-web", []string{"code_verifier", ""}, 400, "invalid_request"},
		{"mobile: without a verifier", "mobile-app", []string{"code_verifier", ""}, 400, "invalid_request"},
		{"with another redirect URI", "bff-web", []string{"redirect_uri", webEnd}, 400, "invalid_grant"},
		{"mobile: with another port", "mobile-app", []string{"redirect_uri", "http://127.0.0.1:49153/callback"}, 400, "invalid_grant"},
		{"without a redirect URI", "bff-web", []string{"redirect_uri", ""}, 400, "invalid_request"},
		{"with a wrong secret", "bff-web", []string{"client_secret", "wrong"}, 401, "invalid_client"},
		{"with the secret of another client", "bff-web", []string{"client_secret", identity.DevPartnerSecret}, 401, "invalid_client"},
		{"without the secret", "bff-web", []string{"client_secret", ""}, 401, "invalid_client"},
		{"mobile: with a secret", "mobile-app", []string{"client_secret", "any"}, 401, "invalid_client"},
		{"when it is another one", "bff-web", []string{"code", "another"}, 400, "invalid_grant"},
		{"when it is none", "bff-web", []string{"code", ""}, 400, "invalid_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			provider := standintest.NewIdentity(t)
			answer := newBrowser(t, provider).signIn(t, asking(test.client), "ada")
			got := ask(t, provider, test.client, exchanging(test.client, answer.Get("code"), test.change...))
			if got.status != test.status || got.Error != test.code || got.AccessToken+got.IDToken+got.RefreshToken != "" {
				t.Errorf("answer: %+v", got)
			}
		})
	}
}

func TestSecretInTheForm(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	answer := newBrowser(t, provider).signIn(t, asking("bff-web"), "ada")
	got := ask(t, provider, "bff-web", exchanging("bff-web", answer.Get("code"), "client_secret", identity.DevWebSecret))
	if got.status != 200 || got.AccessToken == "" {
		t.Errorf("answer: %+v", got)
	}
}

// A guess at the verifier is the only one.
func TestCodeIsUsedUpByTheFirstAttempt(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	answer := newBrowser(t, provider).signIn(t, asking("mobile-app"), "ada")
	ask(t, provider, "mobile-app", exchanging("mobile-app", answer.Get("code"), "code_verifier", verifier+"x"))
	if got := ask(t, provider, "mobile-app", exchanging("mobile-app", answer.Get("code"))); got.Error != "invalid_grant" {
		t.Errorf("answer: %+v", got)
	}
}

func TestCodeOfAnotherClient(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	answer := newBrowser(t, provider).signIn(t, asking("bff-web"), "ada")
	form := exchanging("bff-web", answer.Get("code"))
	if got := ask(t, provider, "mobile-app", form); got.status != 400 || got.Error != "invalid_grant" {
		t.Errorf("at another client: %+v", got)
	}
	form.Del("client_id")
	got := ask(t, provider, "bff-web", form)
	if got.status != 200 {
		t.Fatalf("at its own client afterwards: %+v", got)
	}
	ask(t, provider, "mobile-app", form)
	if !good(t, provider, "bff-web", got.RefreshToken) {
		t.Error("another client can revoke what came of a code")
	}
}

func TestReplayedCodeRevokesWhatCameOfIt(t *testing.T) {
	t.Parallel()
	for _, client := range []string{"mobile-app", "bff-web"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				provider := standintest.NewIdentity(t)
				b := newBrowser(t, provider)
				untouched := signedIn(t, b, client).RefreshToken
				asked := asking(client)
				code := answered(t, asked, b.get(t, "/authorize", asked)).Get("code")
				first := ask(t, provider, client, exchanging(client, code))
				next := ask(t, provider, client, refreshing(first.RefreshToken))
				time.Sleep(time.Hour) // the code being too old as well changes nothing
				if got := ask(t, provider, client, exchanging(client, code)); got.Error != "invalid_grant" {
					t.Errorf("the second time: %+v", got)
				}
				if good(t, provider, client, next.RefreshToken) {
					t.Error("what came of the code is still good")
				}
				if !good(t, provider, client, untouched) {
					t.Error("what came of another code is revoked")
				}
			})
		})
	}
}

func TestCodeLivesForAMinute(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]int{time.Minute - time.Second: 200, time.Minute: 400} {
		synctest.Test(t, func(t *testing.T) {
			provider := standintest.NewIdentity(t)
			answer := newBrowser(t, provider).signIn(t, asking("bff-web"), "ada")
			time.Sleep(after)
			if got := ask(t, provider, "bff-web", exchanging("bff-web", answer.Get("code"))); got.status != want {
				t.Errorf("after %v: %+v", after, got)
			}
		})
	}
}

// TestTokensAreNotMixedUp holds the two kinds against those who take one of them.
func TestTokensAreNotMixedUp(t *testing.T) {
	t.Parallel()
	world := standintest.New(t)
	service := standintest.Serve(t, token.NewVerifier(world.Trusted).Require(func(w http.ResponseWriter, _ *http.Request, caller token.Caller) error {
		_, err := io.WriteString(w, caller.Subject+" by "+caller.Client)
		return err
	}))
	b := newBrowser(t, world.Identity)
	got := signedIn(t, b, "bff-web")
	if answer := service.Get(t, "/", got.AccessToken); answer.Status != 200 || answer.Body != "ada by bff-web" {
		t.Errorf("an access token at a service: %d %s", answer.Status, answer.Body)
	}
	if answer := service.Get(t, "/", got.IDToken); answer.Status != 401 || !strings.Contains(answer.Body, "typ") {
		t.Errorf("an ID token at a service: %d %s", answer.Status, answer.Body)
	}
	asked := asking("bff-web", "id_token_hint", got.AccessToken)
	if answer := answered(t, asked, b.get(t, "/authorize", asked)); answer.Get("error") != "invalid_request" {
		t.Errorf("an access token as a hint: %v", answer)
	}
	isPage(t, b.get(t, "/end_session", url.Values{"id_token_hint": {got.AccessToken}}), 200, "Sign out?")
}

// claimsOf is what a token says, unverified.
func claimsOf(t *testing.T, raw string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
