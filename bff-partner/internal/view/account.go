package view

import (
	"time"

	"bff.internal/shared/clients/users"
)

// Account is the partner as we know it; what is not known is nil.
type Account struct {
	ID    string  `json:"id"`
	Name  *string `json:"name"`
	Email *string `json:"email"`
	Phone *string `json:"phone"`
	Plan  *string `json:"plan"`
	// Contact is the name of a person.
	Contact   *string    `json:"contact"`
	CreatedAt *time.Time `json:"createdAt"`
	Address   *Address   `json:"address"`
}

// Address is where a partner has its seat.
type Address struct {
	Street     *string `json:"street"`
	City       *string `json:"city"`
	PostalCode *string `json:"postalCode"`
	// Country is an ISO 3166-1 code.
	Country *string `json:"country"`
}

func newAccount(partner users.Partner) Account {
	return Account{
		ID:        partner.ID,
		Name:      known(partner.Name),
		Email:     known(partner.Email),
		Phone:     known(partner.Phone),
		Plan:      known(partner.Plan),
		Contact:   known(partner.Contact),
		CreatedAt: moment(partner.CreatedAt),
		Address:   newAddress(partner.Address),
	}
}

func newAddress(address *users.Address) *Address {
	if address == nil {
		return nil
	}
	return &Address{
		Street:     known(address.Street),
		City:       known(address.City),
		PostalCode: known(address.PostalCode),
		Country:    known(address.Country),
	}
}
