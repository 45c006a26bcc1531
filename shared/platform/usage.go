package platform

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// usageWidth is how long the lines of Usage may be; a word longer than that has its own line.
const usageWidth = 100

// Usage writes what --help says: every variable that Load would read into cfg, what it wants, and its
// default. Defaults are those that cfg holds when it is called.
func Usage(w io.Writer, service string, cfg any) {
	variables, _ := survey(cfg)
	column := 0
	var files []string
	for _, v := range variables {
		column = max(column, len(v.name))
		if v.secret() && !slices.Contains(files, v.name+"_FILE") {
			files = append(files, v.name+"_FILE")
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The environment configures %s:\n\n", service)
	for i, v := range variables {
		if slices.ContainsFunc(variables[:i], func(earlier variable) bool { return earlier.name == v.name }) {
			continue // two parts of the configuration read it
		}
		lines := wrap(v.describe(), usageWidth-column-4)
		fmt.Fprintf(&text, "  %-*s  %s\n", column, v.name, lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(&text, "  %-*s  %s\n", column, "", line)
		}
	}
	if len(files) > 0 {
		secrets := "A secret may be in a file instead, which is then named by " + strings.Join(files, " or ") + "."
		fmt.Fprintf(&text, "\n%s\n", strings.Join(wrap(strings.Fields(secrets), usageWidth), "\n"))
	}
	_, _ = io.WriteString(w, text.String())
}

// describe returns the words of the help and, as one word, of the default.
func (v variable) describe() []string {
	words := strings.Fields(v.tag.Get("help"))
	value := v.tag.Get("envDefault")
	if !v.field.IsZero() || value == "" {
		value = show(v.field)
	}
	switch {
	case value != "":
		words = append(words, "(default "+value+")")
	case v.required:
		words = append(words, "(required)")
	}
	return words
}

// show is how a value would be written into the environment, or "" for a value that says nothing.
func show(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case url.URL:
		return v.Redacted()
	case *url.URL:
		return v.Redacted()
	case fmt.Stringer:
		return v.String()
	}
	if value.Kind() != reflect.Slice {
		return fmt.Sprint(value.Interface())
	}
	list := make([]string, value.Len())
	for i := range list {
		list[i] = show(value.Index(i))
	}
	return strings.Join(list, ",")
}

// wrap sets words into lines of at most width characters, at least one line.
func wrap(words []string, width int) []string {
	lines := []string{""}
	for _, word := range words {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
