package view

import (
	"time"

	"bff.internal/shared/clients/users"
)

// User is the whole profile.
type User struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	AvatarURL string `json:"avatarUrl"`
	Locale    string `json:"locale"`
	Tier      string `json:"tier"`
	// MemberSince, Address and Preferences are nil when they are not known.
	MemberSince *time.Time   `json:"memberSince"`
	Address     *Address     `json:"address"`
	Preferences *Preferences `json:"preferences"`
}

// Address is where somebody lives.
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"`
}

// Preferences is what somebody chose.
type Preferences struct {
	Newsletter    bool   `json:"newsletter"`
	Notifications string `json:"notifications"`
	Currency      string `json:"currency"`
	Theme         string `json:"theme"`
}

func newUser(user users.User) User {
	return User{
		ID:          user.ID,
		Name:        user.Name,
		Email:       user.Email,
		Phone:       user.Phone,
		AvatarURL:   user.AvatarURL,
		Locale:      user.Locale,
		Tier:        user.Tier,
		MemberSince: moment(user.CreatedAt),
		Address:     newAddress(user.Address),
		Preferences: newPreferences(user.Preferences),
	}
}

func newAddress(address *users.Address) *Address {
	if address == nil {
		return nil
	}
	return &Address{Street: address.Street, City: address.City, PostalCode: address.PostalCode, Country: address.Country}
}

func newPreferences(preferences *users.Preferences) *Preferences {
	if preferences == nil {
		return nil
	}
	return &Preferences{
		Newsletter:    preferences.Newsletter,
		Notifications: preferences.Notifications,
		Currency:      preferences.Currency,
		Theme:         preferences.Theme,
	}
}
