package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// forgetMemory makes mostMemory begin anew, at what the process has now.
func forgetMemory(pid int) error {
	const mostOnly = "5"
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(mostOnly), 0)
}

// mostMemory is how many bytes of a process were resident at the most.
func mostMemory(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseMemory(string(content))
}

func parseMemory(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory a process has")
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
