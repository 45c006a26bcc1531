package session

import (
	"time"

	"github.com/go-json-experiment/json"

	"bff.internal/shared/secret"
)

// record is what the server knows of a session.
type record struct {
	tokens

	// subject, name and providerSession are the claims sub, name and sid of the ID token. The last two may be empty.
	subject, name, providerSession string

	// endsAt is when the session ends at the latest.
	endsAt time.Time

	idToken secret.String
}

// tokens is what the provider gave, and may give anew.
type tokens struct {
	access secret.String
	// refresh is empty when the provider gave none: then the session ends with the access token.
	refresh secret.String
	// scopes is what the access token allows, as far as the provider said so.
	scopes string
	// renewAt is when to ask for a new access token, some time before the old one ends at expires.
	renewAt, expires time.Time
}

// stored is a record in clear text, inside the seal. The names are short because Redis holds many of them.
type stored struct {
	Subject         string    `json:"sub"`
	Name            string    `json:"name,omitzero"`
	ProviderSession string    `json:"sid,omitzero"`
	EndsAt          time.Time `json:"end"`
	IDToken         string    `json:"id"`
	Access          string    `json:"at"`
	Refresh         string    `json:"rt,omitzero"`
	Scopes          string    `json:"scope,omitzero"`
	RenewAt         time.Time `json:"renew"`
	Expires         time.Time `json:"exp"`
}

// encode returns the record in clear text.
func (r record) encode() ([]byte, error) {
	return json.Marshal(stored{
		Subject: r.subject, Name: r.name, ProviderSession: r.providerSession, EndsAt: r.endsAt, IDToken: r.idToken.Reveal(),
		Access: r.access.Reveal(), Refresh: r.refresh.Reveal(), Scopes: r.scopes, RenewAt: r.renewAt, Expires: r.expires,
	})
}

func decodeRecord(plain []byte) (record, error) {
	var s stored
	if err := json.Unmarshal(plain, &s); err != nil {
		return record{}, err
	}
	return record{
		subject: s.Subject, name: s.Name, providerSession: s.ProviderSession, endsAt: s.EndsAt.UTC(), idToken: secret.New(s.IDToken),
		tokens: tokens{
			access: secret.New(s.Access), refresh: secret.New(s.Refresh), scopes: s.Scopes, renewAt: s.RenewAt, expires: s.Expires,
		},
	}, nil
}
