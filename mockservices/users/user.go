package users

import (
	"net/url"
	"strings"
	"time"

	"bff.internal/mockservices/internal/derive"
)

// user is somebody who signs in.
type user struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Email       string      `json:"email"`
	Phone       string      `json:"phone"` // E.164
	AvatarURL   string      `json:"avatarUrl"`
	Locale      string      `json:"locale"` // BCP 47
	Tier        string      `json:"tier"`   // bronze, silver, gold
	CreatedAt   time.Time   `json:"createdAt"`
	Address     address     `json:"address"`
	Preferences preferences `json:"preferences"`
}

type address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"` // ISO 3166-1
}

type preferences struct {
	Newsletter    bool   `json:"newsletter"`
	Notifications string `json:"notifications"` // email, push, none
	Currency      string `json:"currency"`      // ISO 4217
	Theme         string `json:"theme"`         // light, dark, system
}

// partner is the account of a company that uses the partner API.
type partner struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone"` // E.164
	Plan      string    `json:"plan"`  // starter, growth, enterprise
	Contact   string    `json:"contact"`
	CreatedAt time.Time `json:"createdAt"`
	Address   address   `json:"address"`
}

func newUser(id string) user {
	source := derive.From("user", id)
	name, home := personName(source), derive.Pick(source, places())
	switch id {
	case "ada":
		name, home = "Ada Lovelace", london()
	case "grace":
		name, home = "Grace Hopper", boston()
	}
	return user{
		ID:        id,
		Name:      name,
		Email:     mailbox(id) + "@example.com",
		Phone:     home.phone(source),
		AvatarURL: "https://avatars.example.com/" + url.PathEscape(id) + ".png",
		Locale:    home.locale,
		Tier:      derive.Pick(source, []string{"bronze", "silver", "gold"}),
		CreatedAt: someDay(source),
		Address:   home.address(source),
		Preferences: preferences{
			Newsletter:    derive.Pick(source, []bool{true, false}),
			Notifications: derive.Pick(source, []string{"email", "push", "none"}),
			Currency:      home.currency,
			Theme:         derive.Pick(source, []string{"light", "dark", "system"}),
		},
	}
}

func newPartner(id string) partner {
	source := derive.From("partner", id)
	seat := derive.Pick(source, places())
	return partner{
		ID:        id,
		Name:      derive.Pick(source, lastNames()) + " " + derive.Pick(source, []string{"Trading", "Logistics", "Retail", "Supplies"}),
		Email:     mailbox(id) + "@partners.example.com",
		Phone:     seat.phone(source),
		Plan:      derive.Pick(source, []string{"starter", "growth", "enterprise"}),
		Contact:   personName(source),
		CreatedAt: someDay(source),
		Address:   seat.address(source),
	}
}

func personName(source *derive.Source) string {
	first := []string{
		"Alan", "Barbara", "Claude", "Dorothy", "Edsger", "Frances", "Grete", "Hedy", "Ivan", "Joan", "Katherine", "Leslie",
		"Margaret", "Niklaus", "Ole", "Radia",
	}
	return derive.Pick(source, first) + " " + derive.Pick(source, lastNames())
}

func lastNames() []string {
	return []string{
		"Allen", "Bartik", "Clarke", "Dahl", "Eckert", "Floyd", "Goldberg", "Hamilton", "Iverson", "Johnson", "Keller",
		"Liskov", "Moore", "Naur", "Perlman", "Wirth",
	}
}

// mailbox is id with everything replaced that has no place in front of an @.
func mailbox(id string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, strings.ToLower(id))
}

func someDay(source *derive.Source) time.Time {
	first := time.Date(2019, time.January, 1, 0, 0, 0, 0, time.UTC)
	const days = 5 * 365
	return first.AddDate(0, 0, source.Between(0, days)).Add(time.Duration(source.Between(0, 86_399)) * time.Second)
}
