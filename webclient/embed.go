// Package webclient is parley's page: the built front end, embedded, and the
// handler that serves it with the headers a page with a microphone ought to have.
// Its source is TypeScript under src; dist is what `npm run build` makes of it.
//
// May import: the standard library only.
// Concurrency: the handler and the files are immutable and safe for concurrent use.
package webclient

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built page: index.html at its root, hashed files in assets.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("webclient: the embedded page has no dist folder: " + err.Error()) // cannot happen: the compiler put it there
	}
	return files
}
