// Package app puts parley together: it reads the configuration, chooses the
// engines, wires calls from the socket to the voice, and serves them.
//
// May import: everything; it is the only package that imports adapters.
// Concurrency: Serve owns every goroutine it starts and waits for them.
package app
