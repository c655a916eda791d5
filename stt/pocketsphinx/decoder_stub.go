//go:build !cgo || nopocketsphinx

package pocketsphinx

// built reports whether PocketSphinx is part of this binary.
const built = false

func openNative(Config) (decoder, error) {
	return nil, errNotBuilt()
}
