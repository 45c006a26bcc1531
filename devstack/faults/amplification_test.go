package main

import (
	"testing"

	"bff.internal/devstack/faults/hostile"
)

func TestCallsAreAmplifiedWhenThereAreMoreThanRequests(t *testing.T) {
	t.Parallel()
	tally := answers(map[string]int{"502 bad_answer": 100})
	for _, tt := range []struct {
		name         string
		asked        hostile.Asked
		ratio, ofOne bool
	}{
		{name: "a call and some retries", asked: hostile.Asked{Requests: 120, MostOfOne: 2}, ratio: true, ofOne: true},
		{name: "too many retries", asked: hostile.Asked{Requests: 121, MostOfOne: 2}, ofOne: true},
		{name: "one request had two", asked: hostile.Asked{Requests: 10, MostOfOne: 3}, ratio: true},
		{name: "nobody was asked, or not by name"},
	} {
		a := amplified{tally, tt.asked}
		if ratio, ofOne := a.ratio(), a.ofOne(2); ratio.passes != tt.ratio || ofOne.passes != tt.ofOne {
			t.Errorf("%s: %+v, %+v", tt.name, ratio, ofOne)
		}
	}
}
