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
}

type mobileCredentials struct {
	// Token is an access token of the mobile app.
	Token string `json:"token"`
}

// Credentials returns an access token of the user for bff-mobile, good for five minutes.
func (s *Stack) Credentials(user string) (token string, err error) {
	return s.identity.Mint(identity.TokenRequest{User: user, Client: "mobile-app"})
}

var userID = regexp.MustCompile(`^[!-~]{1,64}$`)

func (s *Stack) devCredentials(_ context.Context, query url.Values) (any, error) {
	user := demoUser
	if query.Has("user") {
		user = query.Get("user")
	}
	if !userID.MatchString(user) {
		return nil, problem.New(http.StatusBadRequest, "invalid_user", "user is an id of 1 to 64 visible ASCII characters.")
	}
	token, err := s.Credentials(user)
	if err != nil {
		return nil, err
	}
	return credentials{Mobile: mobileCredentials{Token: token}}, nil
}
