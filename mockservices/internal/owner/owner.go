// Package owner decides whose data a caller asks for, and whether it may.
package owner

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

// Owner is whose data it is: a user's or a partner's. Exactly one of the two is set.
type Owner struct {
	User    string
	Partner string
}

// Key is a string that no other owner has.
func (o Owner) Key() string {
	if o.Partner != "" {
		return "partner:" + o.Partner
	}
	return "user:" + o.User
}

// Asked is the owner that the query names with user= or partner=; without either it is the caller itself.
// A user may ask for "me" or its own id; partner= is honoured only for the client that acts for partners, which
// must name one. The error is an [answer.Problem]: 400 or 403.
func Asked(query url.Values, caller token.Caller) (Owner, error) {
	if query.Has("user") && query.Has("partner") {
		return Owner{}, strict.BadQuery("user and partner exclude each other")
	}
	if query.Has("partner") {
		return partner(query.Get("partner"), caller)
	}
	user, ok := caller.User()
	if !ok {
		if query.Has("user") {
			return Owner{}, Forbidden("a client that acts for itself is no user")
		}
		return Owner{}, strict.BadQuery("partner is missing")
	}
	switch asked := query.Get("user"); {
	case query.Has("user") && asked == "":
		return Owner{}, strict.BadQuery("user wants me or the caller's own id")
	case query.Has("user") && asked != "me" && asked != user:
		return Owner{}, Forbidden("a user's data is for that user only")
	}
	return Owner{User: user}, nil
}

func partner(id string, caller token.Caller) (Owner, error) {
	if caller.Client != token.PartnerClient {
		return Owner{}, Forbidden("a partner's data is for the client " + token.PartnerClient + " only")
	}
	if !ValidID(id) {
		return Owner{}, strict.BadQuery(fmt.Sprintf("partner wants 1 to %d visible ASCII characters", maxID))
	}
	return Owner{Partner: id}, nil
}

const maxID = 64

// ValidID reports whether id can be somebody's: 1 to 64 visible ASCII characters.
func ValidID(id string) bool {
	invisible := func(c rune) bool { return c <= ' ' || c > '~' }
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, invisible)
}

// Forbidden is the problem of asking for what belongs to somebody else.
func Forbidden(detail string) *answer.Problem {
	return answer.NewProblem(http.StatusForbidden, "forbidden", detail)
}
