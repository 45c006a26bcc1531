// Package secret holds strings that must never be printed: tokens, passwords, keys.
package secret

import "log/slog"

const masked = "[masked]"

// String is a secret. Printing, logging or encoding it yields a mask; only Reveal gives the value. One thing
// defeats it: fmt cannot call methods on an unexported field, so a struct that holds a secret in one must not
// be printed whole. The zero value is the empty secret, which prints as nothing, so that "not set" is visible.
type String struct{ value string }

// New makes value a secret.
func New(value string) String { return String{value: value} }

// Reveal returns the value itself, for the one place that has to send or check it.
func (s String) Reveal() string { return s.value }

// IsZero reports whether the secret is empty, which means: not set.
func (s String) IsZero() bool { return s.value == "" }

// String masks the value; it serves fmt and everything built on it.
func (s String) String() string {
	if s.value == "" {
		return ""
	}
	return masked
}

// GoString masks the value for %#v.
func (s String) GoString() string { return s.String() }

// LogValue masks the value for slog.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the value for JSON and every other text encoding.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a secret from configuration.
func (s *String) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}
