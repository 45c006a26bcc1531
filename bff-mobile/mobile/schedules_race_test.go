//go:build race

package mobile_test

// The race detector takes several times as long for each; "make faults" runs all of them without it.
const usualSchedules = 200
