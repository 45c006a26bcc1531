package stack

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"bff.internal/mockservices/identity"
	"bff.internal/shared/problem"
)

// demoUser is who signs in unless somebody else is asked for. Every user id is a user.
const demoUser = "ada"

// credentials is what scripts need to call the BFFs: GET /dev/credentials?user=.
type credentials struct {
	Mobile mobileCredentials `json:"mobile"`
	Web    webCredentials    `json:"web"`
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

// Credentials returns an access token of the user for bff-mobile, good for five minutes.
func (s *Stack) Credentials(user string) (token string, err error) {
	return s.identity.Mint(identity.TokenRequest{User: user, Client: "mobile-app"})
}

func (s *Stack) devCredentials(_ context.Context, query url.Values) (any, error) {
	user, err := userOf(query)
	if err != nil {
		return nil, err
	}
	token, err := s.Credentials(user)
	if err != nil {
		return nil, err
	}
	return credentials{
		Mobile: mobileCredentials{Token: token},
		Web:    webCredentials{Username: user, Password: identity.DevPassword},
	}, nil
}

// devSession signs the user in at bff-web: GET /dev/session?user=.
func (s *Stack) devSession(ctx context.Context, query url.Values) (any, error) {
	user, err := userOf(query)
	if err != nil {
		return nil, err
	}
	cookie, err := s.SignIn(ctx, user)
	if err != nil {
		return nil, problem.New(http.StatusBadGateway, "sign_in_failed", "The user could not be signed in; bff-web or identity is away.").Because(err)
	}
	return struct {
		Cookie string `json:"cookie"`
	}{cookie}, nil
}

var userID = regexp.MustCompile(`^[!-~]{1,64}$`)

// userOf is who the query is about: the demo user, unless it says somebody else.
func userOf(query url.Values) (string, error) {
	user := demoUser
	if query.Has("user") {
		user = query.Get("user")
	}
	if !userID.MatchString(user) {
		return "", problem.New(http.StatusBadRequest, "invalid_user", "user is an id of 1 to 64 visible ASCII characters.")
	}
	return user, nil
}
