package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is a line about where this runs, and how busy that is now.
func machine() string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	loadavg, _ := os.ReadFile("/proc/loadavg")
	lastMinute, _, _ := strings.Cut(string(loadavg), " ")
	return fmt.Sprintf("%s, %d cores, %s/%s, %s; load average before the run %s",
		cpuModel(string(cpuinfo)), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), lastMinute)
}

// cpuModel is the model of the first CPU; not every architecture says it.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}
