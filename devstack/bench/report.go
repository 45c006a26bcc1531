package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// setting is what a reader of the table has to know besides.
type setting struct {
	options

	machine       string
	upstream      string
	upstreamBytes int
	answer        []byte
}

// report is the table and the lines below it. Ratios are to the first peer.
func (s setting) report(peers []*peer) string {
	rows := make([][]string, 0, 1+len(peers))
	rows = append(rows, []string{
		"aggregator", "µs CPU/request", "ratio to " + peers[0].process.Name, "peak MB", "requests/s", "what it does besides",
	})
	for _, p := range peers {
		rows = append(rows, []string{
			p.process.Name, spread("%.0f", p.cpu()), spread("%.2f", ratios(p, peers[0])),
			fmt.Sprintf("%.0f", float64(p.memory)/1e6), fmt.Sprintf("%.0f", median(p.rate())), p.does,
		})
	}
	var text strings.Builder
	text.WriteString("\n" + table(rows) + "\n")
	text.WriteString("µs CPU/request: user and system time of the aggregator's process. Medians (min–max) of the rounds; peak MB is resident memory.\n")
	fmt.Fprintf(&text, "Machine: %s.\n", s.machine)
	fmt.Fprintf(&text, "Upstream: %s.\n", s.upstream)
	fmt.Fprintf(&text, "Load: %d rounds of %d requests, in turn, over %d keep-alive connections, a caller each; every answer was 200 with the same body.\n",
		s.rounds, s.requests, s.connections)
	fmt.Fprintf(&text, "Answer: %d B, %d B with gzip, of the %d B that three services sent.\n", len(s.answer), zipped(s.answer), s.upstreamBytes)
	text.WriteString("Only ratios within a run mean anything, and requests/s little: clients and upstream run on the same cores.\n")
	return text.String()
}

func (p *peer) cpu() []float64 {
	return collect(p.samples, func(s sample) float64 { return s.cpu })
}

func (p *peer) rate() []float64 {
	return collect(p.samples, func(s sample) float64 { return s.rate })
}

// ratios compares round by round, so that a machine that grows slower does not count.
func ratios(p, to *peer) []float64 {
	list := make([]float64, len(p.samples))
	for i := range list {
		list[i] = p.samples[i].cpu / to.samples[i].cpu
	}
	return list
}

func collect(samples []sample, value func(sample) float64) []float64 {
	list := make([]float64, len(samples))
	for i, s := range samples {
		list[i] = value(s)
	}
	return list
}

func spread(format string, list []float64) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", median(list), slices.Min(list), slices.Max(list))
}

// median of at least one value; of an even number the mean of the two in the middle.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// table sets rows, of which the first is the head, as Markdown that can also be read as it is.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for i, row := range rows {
		for j, cell := range row {
			text.WriteString("| " + cell + strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)+1))
		}
		text.WriteString("|\n")
		if i == 0 {
			for _, width := range widths {
				text.WriteString("|" + strings.Repeat("-", width+2))
			}
			text.WriteString("|\n")
		}
	}
	return text.String()
}

func zipped(body []byte) int {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, _ = w.Write(body)
	_ = w.Close()
	return buffer.Len()
}
