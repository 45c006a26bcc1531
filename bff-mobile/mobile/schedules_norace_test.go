//go:build !race

package mobile_test

const usualSchedules = 2000
