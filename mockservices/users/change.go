package users

import (
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"bff.internal/mockservices/internal/strict"
)

// change is what a user wants to be different. A member that is null or absent stays as it is.
type change struct {
	Name   *string `json:"name"`
	Phone  *string `json:"phone"`
	Locale *string `json:"locale"`
}

// check refuses values that no user could have.
func (c change) check() error {
	const longestName = 100
	phone := regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	locale := regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
	switch {
	case c.Name != nil && (strings.TrimSpace(*c.Name) == "" || utf8.RuneCountInString(*c.Name) > longestName ||
		strings.ContainsFunc(*c.Name, unicode.IsControl)):
		return strict.Violated(http.StatusUnprocessableEntity, "/name", "wants 1 to 100 printable characters")
	case c.Phone != nil && !phone.MatchString(*c.Phone):
		return strict.Violated(http.StatusUnprocessableEntity, "/phone", `wants an E.164 number such as "+4930123456"`)
	case c.Locale != nil && !locale.MatchString(*c.Locale):
		return strict.Violated(http.StatusUnprocessableEntity, "/locale", `wants a language and a region such as "en-GB"`)
	default:
		return nil
	}
}

// with is c and then, where they differ, later.
func (c change) with(later change) change {
	if later.Name != nil {
		c.Name = later.Name
	}
	if later.Phone != nil {
		c.Phone = later.Phone
	}
	if later.Locale != nil {
		c.Locale = later.Locale
	}
	return c
}

// apply is the user as changed.
func (c change) apply(u user) user {
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.Phone != nil {
		u.Phone = *c.Phone
	}
	if c.Locale != nil {
		u.Locale = *c.Locale
	}
	return u
}
