// Package observe shows people what happens: logs, and Prometheus metrics made
// from the event stream of the calls.
//
// May import: conversation, internal/timeline, the logging and metrics libraries.
// The pipeline never imports it.
// Concurrency: everything here is safe for concurrent use. Consume never blocks.
package observe
