package apikey

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Info is what is known about a key, and may be shown.
type Info struct {
	ID string
	// Partner is whose key it is.
	Partner string
	// Scopes is what it may do, sorted, each once.
	Scopes []string
	// Note is what the operator wanted to remember about it.
	Note    string
	Created time.Time
	// Expires, Revoked and LastUsed are zero for a key that never expires, is not revoked, or was not used yet.
	// LastUsed is exact to a minute.
	Expires, Revoked, LastUsed time.Time
}

// Status is how a key is at a moment: "active", "expired" or "revoked".
func (i Info) Status(now time.Time) string {
	switch {
	case !i.Revoked.IsZero():
		return "revoked"
	case !i.Expires.IsZero() && !now.Before(i.Expires):
		return "expired"
	default:
		return "active"
	}
}

// Request says which key to make. Expires is zero for a key that never expires; Note may be "".
type Request struct {
	Partner string
	Scopes  []string
	Expires time.Time
	Note    string
}

const (
	maxNote = 200 // characters
	longest = 100 // years until a key expires; times far away overflow
)

// partnerID needs no escaping in a URL, so that no service can take it for something else.
var partnerID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

var scopeName = regexp.MustCompile(`^[a-z][a-z0-9:._-]{0,63}$`)

// InvalidError is a Request, or the name of a key, that makes no sense.
type InvalidError struct{ reason string }

// Error says what is wrong and what would be right.
func (e *InvalidError) Error() string { return e.reason }

func (r Request) validate(now time.Time) error {
	var wrong string
	switch {
	case !partnerID.MatchString(r.Partner):
		wrong = "a partner is an id of 1 to 128 letters, digits and - . _ ~ that begins with a letter or digit, such as acme"
	case len(r.Scopes) == 0:
		wrong = "a key without a scope opens nothing"
	case slices.ContainsFunc(r.Scopes, func(scope string) bool { return !scopeName.MatchString(scope) }):
		wrong = "a scope is a word such as dashboard:read"
	case !r.Expires.IsZero() && !r.Expires.After(now):
		wrong = "the key would expire before it exists, on " + r.Expires.UTC().Format(time.RFC3339)
	case r.Expires.After(now.AddDate(longest, 0, 0)):
		wrong = "the key would expire in more than 100 years; one without an end never does"
	case !utf8.ValidString(r.Note) || utf8.RuneCountInString(r.Note) > maxNote || strings.ContainsFunc(r.Note, func(c rune) bool { return !unicode.IsPrint(c) }):
		wrong = "a note is at most 200 characters on one line"
	default:
		return nil
	}
	return &InvalidError{wrong}
}

// record is a key as Redis has it.
type record struct {
	Info

	mac []byte
}

// The fields of a record's hash.
const (
	fieldPartner = "partner"
	fieldMAC     = "mac"
	fieldScopes  = "scopes"
	fieldNote    = "note"
	fieldCreated = "created"
	fieldExpires = "expires"
	fieldRevoked = "revoked"
	fieldUsed    = "used"
)

func (r record) fields() map[string]string {
	fields := map[string]string{
		fieldPartner: r.Partner,
		fieldMAC:     hex.EncodeToString(r.mac),
		fieldScopes:  strings.Join(r.Scopes, " "),
		fieldNote:    r.Note,
		fieldCreated: milliseconds(r.Created),
	}
	if !r.Expires.IsZero() {
		fields[fieldExpires] = milliseconds(r.Expires)
	}
	return fields
}

func milliseconds(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// errBroken is a record that cannot be read, which is nobody's key.
var errBroken = errors.New("apikey: a broken record")

func parseRecord(id string, fields map[string]string) (record, error) {
	stored, err := hex.DecodeString(fields[fieldMAC])
	r := record{mac: stored, Info: Info{
		ID: id, Partner: fields[fieldPartner], Scopes: strings.Fields(fields[fieldScopes]), Note: fields[fieldNote],
	}}
	for field, at := range map[string]*time.Time{
		fieldCreated: &r.Created, fieldExpires: &r.Expires, fieldRevoked: &r.Revoked, fieldUsed: &r.LastUsed,
	} {
		if text, ok := fields[field]; ok {
			ms, wrong := strconv.ParseInt(text, 10, 64)
			err = errors.Join(err, wrong)
			*at = time.UnixMilli(ms).UTC()
		}
	}
	if err != nil || r.Partner == "" {
		return record{}, fmt.Errorf("%w: %s", errBroken, id)
	}
	return r, nil
}
