package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc/<pid>/stat: 1/100 s on every Linux, whatever the kernel's own tick. The sum
// of user and system time is exact up to it, for the scheduler accounts both by its clock.
const clockTick = 10 * time.Millisecond

// canMeasure says why there can be no measurement on this machine, or nil.
func canMeasure() error {
	if _, err := cpuTime(os.Getpid()); err != nil {
		return fmt.Errorf("the CPU time of a process is read from /proc/<pid>/stat, which needs Linux with /proc (this is %s): %w", runtime.GOOS, err)
	}
	return nil
}

// cpuTime is the user and system time that all threads of a process have used so far.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

var errStat = errors.New("/proc/<pid>/stat is not as proc(5) says")

// parseStat adds up utime and stime, the fields 14 and 15. The second field, the name, may hold anything: fields are
// counted from its closing parenthesis.
func parseStat(stat string) (time.Duration, error) {
	const utime, stime = 14 - 3, 15 - 3
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if !strings.Contains(stat, ")") || len(fields) <= stime {
		return 0, errStat
	}
	var ticks int64
	for _, field := range []string{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, errStat
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// peakMemory is the most memory that a process has had resident, in bytes.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parsePeak(string(status))
}

func parsePeak(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, errors.New("/proc/<pid>/status has no VmHWM")
}
