//go:build race

package vad_test

// underRace thins out tests of much audio: the race detector slows the network
// tenfold, and one goroutine gives it nothing to find.
const underRace = true
