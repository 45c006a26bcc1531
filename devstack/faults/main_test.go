package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"bff.internal/devstack/faults/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{name: "help lists the scenarios", args: []string{"--help"}, status: 0, says: "rolling-restart  G1"},
		{name: "an unknown flag", args: []string{"-sideways"}, status: 2, says: "not defined: -sideways"},
		{name: "an argument", args: []string{"stop-signal"}, status: 2, says: `"stop-signal" is no argument`},
		{name: "an unknown scenario", args: []string{"-run", "stop-signal,earthquake"}, status: 2, says: `no scenario "earthquake"`},
		{name: "a Caddy that is not there", args: []string{"-caddy", "/nowhere/caddy"}, status: 1, says: "/nowhere/caddy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, complaints bytes.Buffer
			if status := command(t.Context(), tt.args, &out, &complaints); status != tt.status || !strings.Contains(complaints.String(), tt.says) || out.Len() > 0 {
				t.Errorf("status %d, says %q and %q; want %d, %q", status, &complaints, &out, tt.status, tt.says)
			}
		})
	}
}

func TestScenariosRunInTheOrderOfTheListAndAllOfThemUnlessNamed(t *testing.T) {
	t.Parallel()
	all := []scenario{{name: "one"}, {name: "two"}, {name: "three"}}
	for names, want := range map[string][]string{"": {"one", "two", "three"}, "two": {"two"}, "three,one": {"one", "three"}} {
		o, err := parse([]string{"-run", names, "-short"}, all, new(bytes.Buffer))
		if err != nil || !o.short {
			t.Fatal(err)
		}
		var got []string
		for _, s := range o.run {
			got = append(got, s.name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-run %q (-want +got):\n%s", names, diff)
		}
	}
}

func TestAScenarioPassesOnlyWhenItHasMeasuredSomethingAndEveryFigurePasses(t *testing.T) {
	t.Parallel()
	good, bad := figure{what: "this", ours: measured{"1", true}}, figure{what: "that", ours: measured{"2", false}}
	for _, tt := range []struct {
		name    string
		figures []figure
		err     error
		passes  bool
		says    string
	}{
		{name: "every figure passes", figures: []figure{good, good}, passes: true, says: "PASS shaking ("},
		{name: "one does not", figures: []figure{good, bad}, says: "FAIL shaking: 1 of 2 figures ("},
		{name: "it came to no end", figures: []figure{good}, err: errors.New("redis is away"), says: "FAIL shaking could not be measured (0 s): redis is away\nlast words"},
		{name: "it has measured nothing", says: "FAIL shaking has measured nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s := suite{out: &out, measure: func(context.Context, scenario) ([]figure, string, error) {
				return tt.figures, "last words\n", tt.err
			}}
			if passes := s.passes(t.Context(), scenario{name: "shaking"}); passes != tt.passes || !strings.Contains(out.String(), tt.says) {
				t.Errorf("%t, and says %s", passes, &out)
			}
		})
	}
}

func TestEveryScenarioOfTheListCanBeCalledByItsName(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if s.name == "" || s.about == "" || s.run == nil || seen[s.name] || strings.Contains(s.name, ",") {
			t.Errorf("scenario %+v", s)
		}
		seen[s.name] = true
	}
	if len(rig.BFFs()) != 3 {
		t.Errorf("%d BFFs", len(rig.BFFs()))
	}
}
