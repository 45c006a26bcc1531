package view

import "time"

// Session is who is signed in, and until when.
type Session struct {
	User SessionUser `json:"user"`
	// ExpiresAt is when the session ends if nothing more is asked for, EndsAt when it does at the latest.
	ExpiresAt time.Time `json:"expiresAt"`
	EndsAt    time.Time `json:"endsAt"`
}

// SessionUser is a person as the identity provider knows them.
type SessionUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}
