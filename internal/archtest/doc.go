// Package archtest holds the structure of the project: its import rules,
// package documents and style limits, as tests over the source files.
//
// May import: the standard library only.
// Concurrency: none; it has no code beside its tests.
package archtest
