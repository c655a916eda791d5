//go:build !race

package vad_test

const underRace = false
