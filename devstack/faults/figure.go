package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// figure is one thing that a scenario has measured.
type figure struct {
	what string
	line string // the pass line, in words
	ours measured
	// naive is what a naive build scores in the same place. The zero value is for figures that everybody reaches, or
	// that make sense for ours alone.
	naive measured
}

// measured is a figure as it came out.
type measured struct {
	says   string
	passes bool
}

// verdict judges a figure. A line that the naive build reaches as well shows nothing, so that fails too.
func (f figure) verdict() string {
	switch {
	case !f.ours.passes:
		return "FAIL"
	case f.naive.says != "" && f.naive.passes:
		return "FAIL: proves nothing, for the naive build passes"
	default:
		return "PASS"
	}
}

func (f figure) passes() bool { return f.verdict() == "PASS" }

// failed counts the figures that do not pass.
func failed(figures []figure) int {
	count := 0
	for _, f := range figures {
		if !f.passes() {
			count++
		}
	}
	return count
}

// table sets figures in columns.
func table(figures []figure) string {
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintf(columns, "  \tfigure\tours\tpass line\tnaive\n")
	for _, f := range figures {
		naive := f.naive.says
		if naive == "" {
			naive = "-"
		}
		_, _ = fmt.Fprintf(columns, "  %s\t%s\t%s\t%s\t%s\n", f.verdict(), f.what, f.ours.says, f.line, naive)
	}
	_ = columns.Flush() // into memory
	return text.String()
}
