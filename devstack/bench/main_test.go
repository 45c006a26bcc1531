package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
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
		{name: "help", args: []string{"--help"}, status: 0, says: "-rounds"},
		{name: "an unknown flag", args: []string{"-sideways"}, status: 2, says: "not defined: -sideways"},
		{name: "an argument", args: []string{"fast"}, status: 2, says: `"fast" is no argument`},
		{name: "nothing to do", args: []string{"-rounds", "0"}, status: 2, says: "at least 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, say bytes.Buffer
			if status := command(t.Context(), tt.args, &out, &say); status != tt.status || !strings.Contains(say.String(), tt.says) || out.Len() > 0 {
				t.Errorf("status %d, says %q and %q; want %d, %q", status, &say, &out, tt.status, tt.says)
			}
		})
	}
}
