package platform

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"bff.internal/shared/secret"
)

// variable is a field of a configuration and the environment variable that sets it.
type variable struct {
	name     string
	field    reflect.Value
	tag      reflect.StructTag
	required bool
}

// validator is a part of a configuration that can judge itself.
type validator interface{ Validate() error }

// survey finds the variables and the validators of cfg, a pointer to a struct of structs.
func survey(cfg any) ([]variable, []validator) {
	root := reflect.ValueOf(cfg)
	if root.Kind() != reflect.Pointer || root.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("platform: a configuration is a pointer to a struct, not %T", cfg))
	}
	return surveyStruct(root.Elem(), "")
}

func surveyStruct(s reflect.Value, prefix string) (variables []variable, validators []validator) {
	for i := range s.NumField() {
		field, about := s.Field(i), s.Type().Field(i)
		if !about.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(about.Tag.Get("env"), ",")
		switch {
		case name != "" && name != "-":
			variables = append(variables, variable{
				name: prefix + name, field: field, tag: about.Tag,
				required: strings.Contains(options, "required") || strings.Contains(options, "notEmpty"),
			})
		case field.Kind() == reflect.Struct:
			inner, judges := surveyStruct(field, prefix+about.Tag.Get("envPrefix"))
			variables, validators = append(variables, inner...), append(validators, judges...)
		}
	}
	if v, ok := reflect.TypeAssert[validator](s.Addr()); ok {
		validators = append(validators, v)
	}
	return variables, validators
}

// secret reports whether the variable may come from a file instead, and is never shown.
func (v variable) secret() bool {
	t := v.field.Type()
	return t == reflect.TypeFor[secret.String]() || t == reflect.TypeFor[[]secret.String]()
}

// load sets the field from the environment, or from its default when it is zero.
func (v variable) load(environment map[string]string) error {
	value, err := v.lookup(environment)
	if err != nil {
		return err
	}
	if value == "" && v.field.IsZero() {
		value = v.tag.Get("envDefault")
	}
	switch {
	case value != "":
		return v.set(value)
	case v.required && v.field.IsZero() && v.secret():
		return v.wrong("neither it nor " + v.name + "_FILE is set")
	case v.required && v.field.IsZero():
		return v.wrong("is not set")
	default:
		return nil
	}
}

func (v variable) lookup(environment map[string]string) (string, error) {
	value, file := environment[v.name], environment[v.name+"_FILE"]
	if !v.secret() || file == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("%s: is set, and %s_FILE too; wants one of them", v.name, v.name)
	}
	content, err := os.ReadFile(file) //nolint:gosec // whoever sets the environment may say which file
	if err != nil {
		if path, ok := errors.AsType[*os.PathError](err); ok {
			err = path.Err
		}
		return "", fmt.Errorf("%s_FILE: %q cannot be read: %w; wants a file with the value of %s", v.name, file, err, v.name)
	}
	value = strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s_FILE: %q is empty; wants a file with the value of %s", v.name, file, v.name)
	}
	return value, nil
}

// set parses the value into the field. It is parsed into a struct of that field alone, because the errors
// of env name a field of a struct and not the variable.
func (v variable) set(value string) error {
	alone := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Value",
		Type: v.field.Type(),
		Tag:  reflect.StructTag(fmt.Sprintf(`env:%q envSeparator:%q`, v.name, v.tag.Get("envSeparator"))),
	}}))
	err := env.ParseWithOptions(alone.Interface(), env.Options{
		Environment: map[string]string{v.name: value},
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[[]string]():       func(text string) (any, error) { return elements(text, v.tag), nil },
			reflect.TypeFor[[]netip.Prefix](): func(text string) (any, error) { return networks(elements(text, v.tag)) },
		},
	})
	if err != nil {
		return v.wrong(v.complaint(value, err))
	}
	v.field.Set(alone.Elem().Field(0))
	return nil
}

// complaint says what is wrong with the value, without what a secret would not want said.
func (v variable) complaint(value string, err error) string {
	parse, ok := errors.AsType[env.ParseError](err)
	if !ok {
		panic(fmt.Sprintf("platform: %s: %v", v.name, err)) // a type that env cannot parse
	}
	_, ownWords := reflect.TypeAssert[encoding.TextUnmarshaler](v.field.Addr())
	is := func(what string) string { return fmt.Sprintf("%q is %s", value, what) }
	switch t := v.field.Type(); {
	case v.secret():
		return "cannot be read"
	case errors.Is(parse.Err, strconv.ErrRange):
		return is("out of range")
	case t == reflect.TypeFor[time.Duration]():
		return is("no duration")
	case t == reflect.TypeFor[slog.Level]():
		return is("no level")
	case t == reflect.TypeFor[url.URL]():
		return "is no URL" // a mistyped one may hold a password anywhere
	case ownWords:
		return parse.Err.Error()
	case t.Kind() == reflect.Bool:
		return is("neither true nor false")
	case v.field.CanInt(), v.field.CanUint():
		return is("no whole number")
	case v.field.CanFloat():
		return is("no number")
	default:
		return parse.Err.Error()
	}
}

func (v variable) wrong(what string) error {
	if help := v.tag.Get("help"); help != "" {
		what += "; wants " + help
	}
	return errors.New(v.name + ": " + what)
}

// elements splits a list at its commas, or at the separator that its tag names.
func elements(text string, tag reflect.StructTag) []string {
	separator := tag.Get("envSeparator")
	if separator == "" {
		separator = ","
	}
	list := strings.Split(text, separator)
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// networks reads networks; an address alone is the network of that one.
func networks(list []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, len(list))
	for i, text := range list {
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap().WithZone("")
			prefixes[i] = netip.PrefixFrom(addr, addr.BitLen())
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network nor an address", text)
		}
		prefixes[i] = prefix.Masked()
	}
	return prefixes, nil
}
