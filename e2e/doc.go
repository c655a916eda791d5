// Package e2e tries whole calls: in fake time over a virtual network, and in a
// real browser. It has no code beside its tests.
//
// May import: app, loadtest and what drives a browser. Tests only.
// Concurrency: none of its own.
package e2e
