package platform

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Load sets the fields of cfg, a pointer to a struct of structs, from the environment, which is a list of
// NAME=value as os.Environ gives it. These tags count:
//
//	env:"NAME"           the variable; env:"NAME,required" when there is nothing to fall back on
//	envPrefix:"PREFIX_"  on a struct: what its variables begin with
//	envDefault:"value"   for a field that was zero before; any other value before is itself the default
//	help:"text"          what the variable wants, as a phrase
//
// An empty variable is an unset one. A secret.String may come from the file that NAME_FILE names instead,
// without that file's last line break. Lists are separated by commas, and a network may be a bare address.
// Every struct that can is asked to Validate itself. Unknown variables are nobody's business.
//
// The error says all that is wrong at once, a line each: NAME: what is wrong; wants what. No secret is in it.
func Load(cfg any, environ []string) error {
	variables, validators := survey(cfg)
	environment := env.ToMap(environ)
	var lines []string
	unloaded := map[string]bool{}
	for _, v := range variables {
		if err := v.load(environment); err != nil && !unloaded[v.name] {
			unloaded[v.name] = true
			lines = append(lines, err.Error())
		}
	}
	for _, v := range validators {
		for line := range complaints(v) {
			name, _, _ := strings.Cut(line, ":")
			// What could not be loaded still has the value from before, which nobody asked about. And a
			// struct that asks its parts to validate themselves says what they say.
			if !unloaded[name] && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

func complaints(v validator) iter.Seq[string] {
	err := v.Validate()
	if err == nil {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(err.Error(), "\n")
}
