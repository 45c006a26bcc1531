// Package e2e tests the suite as its users meet it: real processes' code on real sockets, through the edge.
package e2e
