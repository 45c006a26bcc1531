package rig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// lastLines is how many lines of a log are shown, and longestLine how much of each.
	lastLines   = 5
	longestLine = 400
)

// LastWords is the end of what every process said, without what is good to hear; also of those that have ended.
func (r *Rig) LastWords() string {
	var words strings.Builder
	for _, ending := range []string{"*.err", "*.log"} {
		files, _ := filepath.Glob(filepath.Join(r.cfg.Dir, ending)) // the pattern is a good one
		for _, file := range files {
			content, _ := os.ReadFile(file) //nolint:gosec // a file of ours
			if lines := worst(content); len(lines) > 0 {
				fmt.Fprintf(&words, "--- %s\n%s\n", filepath.Base(file), bytes.Join(lines, []byte("\n")))
			}
		}
	}
	return words.String()
}

// worst is the last lines of a log but those at level info or debug.
func worst(content []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.Lines(content) {
		line = bytes.TrimSpace(line)
		lower := bytes.ToLower(line)
		harmless := slices.ContainsFunc([]string{"info", "debug"}, func(level string) bool {
			return bytes.Contains(lower, []byte(`"level":"`+level+`"`))
		})
		if len(line) > 0 && !harmless {
			lines = append(lines, line[:min(len(line), longestLine)])
		}
	}
	return lines[max(0, len(lines)-lastLines):]
}
