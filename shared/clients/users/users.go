// Package users is the typed client of the User Service.
package users

import (
	"context"
	"errors"
	"time"

	"bff.internal/shared/upstream"
)

// Client calls the User Service. It may be used concurrently.
type Client struct{ service *upstream.Client }

// New returns a client over the service.
func New(service *upstream.Client) *Client { return &Client{service: service} }

// User is a person as the User Service knows them. Only ID is sure to be there.
type User struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone"`
	AvatarURL string    `json:"avatarUrl"`
	Locale    string    `json:"locale"`
	Tier      string    `json:"tier"`
	CreatedAt time.Time `json:"createdAt"`
	// Address and Preferences are nil when the service does not know them.
	Address     *Address     `json:"address"`
	Preferences *Preferences `json:"preferences"`
}

// Address is where a person lives, or where a partner has its seat.
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode"`
	// Country is an ISO 3166-1 code.
	Country string `json:"country"`
}

// Preferences is what a person chose.
type Preferences struct {
	Newsletter    bool   `json:"newsletter"`
	Notifications string `json:"notifications"`
	// Currency is an ISO 4217 code.
	Currency string `json:"currency"`
	Theme    string `json:"theme"`
}

// Validate refuses a user without an id.
func (u *User) Validate() error {
	if u.ID == "" {
		return errors.New("user without an id")
	}
	return nil
}

// Partner is a company that calls with keys of its own, as the User Service knows it. Only ID is sure to be there.
type Partner struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
	Plan  string `json:"plan"`
	// Contact is the name of a person.
	Contact   string    `json:"contact"`
	CreatedAt time.Time `json:"createdAt"`
	// Address is nil when the service does not know it.
	Address *Address `json:"address"`
}

// Validate refuses a partner without an id.
func (p *Partner) Validate() error {
	if p.ID == "" {
		return errors.New("partner without an id")
	}
	return nil
}

// Get returns the user with the id; "me" is the caller. Every error is an *upstream.Error.
func (c *Client) Get(ctx context.Context, id string) (User, error) {
	return upstream.Get[User](ctx, c.service, upstream.Target{Path: []string{"users", id}})
}

// Partner returns the partner with the id. Every error is an *upstream.Error.
func (c *Client) Partner(ctx context.Context, id string) (Partner, error) {
	return upstream.Get[Partner](ctx, c.service, upstream.Target{Path: []string{"partners", id}})
}
