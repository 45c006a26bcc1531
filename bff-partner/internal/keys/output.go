package keys

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bff.internal/shared/apikey"
	"bff.internal/shared/secret"
)

// output is the flag --output: text for people, or json for programs.
type output struct{ json bool }

func (o *output) flag(c *cobra.Command) {
	c.Flags().Var(o, "output", "text, or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// String is the flag's value.
func (o *output) String() string {
	if o.json {
		return "json"
	}
	return "text"
}

// Set reads the flag.
func (o *output) Set(text string) error {
	if text != "json" && text != "text" {
		return fmt.Errorf("wants text or json, not %q", text)
	}
	o.json = text == "json"
	return nil
}

// Type is what the help calls the flag's value.
func (o *output) Type() string { return "form" }

// key is a key as JSON. Times are of RFC 3339 in UTC, and null when there is none.
type key struct {
	// Key is the whole key, where it has just been made.
	Key      string     `json:"key,omitempty"`
	ID       string     `json:"id"`
	Partner  string     `json:"partner"`
	Status   string     `json:"status"`
	Scopes   []string   `json:"scopes"`
	Note     string     `json:"note"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`
	Revoked  *time.Time `json:"revoked"`
	LastUsed *time.Time `json:"lastUsed"`
}

func newKey(info apikey.Info) key {
	return key{
		ID: info.ID, Partner: info.Partner, Status: info.Status(time.Now()), Scopes: info.Scopes, Note: info.Note,
		Created: info.Created, Expires: known(info.Expires), Revoked: known(info.Revoked), LastUsed: known(info.LastUsed),
	}
}

func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func (o *output) created(w io.Writer, made secret.String, info apikey.Info) error {
	k := newKey(info)
	k.Key = made.Reveal()
	if o.json {
		return writeJSON(w, k)
	}
	if err := o.one(w, info); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe key, which is not shown again:\n\n%s\n", k.Key)
	return err
}

func (o *output) one(w io.Writer, info apikey.Info) error {
	k := newKey(info)
	if o.json {
		return writeJSON(w, k)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", k.ID},
		{"partner", k.Partner},
		{"status", k.Status},
		{"scopes", strings.Join(k.Scopes, ", ")},
		{"note", k.Note},
		{"created", minute(&k.Created)},
		{"expires", minute(k.Expires)},
		{"revoked", minute(k.Revoked)},
		{"last used", minute(k.LastUsed)},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1]) // Flush says what went wrong
	}
	return table.Flush()
}

// list writes all keys, or those of one partner.
func (o *output) list(w io.Writer, infos []apikey.Info, partner string) error {
	keys := make([]key, len(infos))
	for i, info := range infos {
		keys[i] = newKey(info)
	}
	if o.json {
		return writeJSON(w, keys)
	}
	if len(keys) == 0 && partner != "" {
		_, err := fmt.Fprintf(w, "no keys of %q\n", partner)
		return err
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(w, "no keys; bff-partner keys create makes one")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tPARTNER\tSTATUS\tSCOPES\tCREATED\tEXPIRES\tLAST USED\tNOTE")
	for _, k := range keys {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Partner, k.Status, strings.Join(k.Scopes, ","),
			minute(&k.Created), minute(k.Expires), minute(k.LastUsed), k.Note)
	}
	return table.Flush()
}

// minute is a time for people; a dash is none.
func minute(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
