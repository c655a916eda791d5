//go:build !cgo || noflite

package flite

import (
	"context"
	"errors"

	"parley/tts/internal/perclause"
)

type voice struct{}

type utterance struct {
	tokens []token
	at     int
	ctx    context.Context
	emit   perclause.Emit
}

var errLeftOut = errors.New("this program was built without flite (tag noflite, or no cgo); choose another tts.engine")

func open(string) (*voice, error) { return nil, errLeftOut }

func (*voice) say(*utterance, float32) error { return errLeftOut }
