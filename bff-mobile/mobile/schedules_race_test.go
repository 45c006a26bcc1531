//go:build race

package mobile_test

// The race detector takes several times as long for each; "make schedules" plays all of them without it.
const usualSchedules = 200
