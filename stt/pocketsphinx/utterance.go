package pocketsphinx

import (
	"context"

	"parley/audio"
	"parley/stt"
	"parley/stt/internal/capture"
)

const (
	// firstPreview is the speech before a preview is tried: a word takes about as long.
	firstPreview = audio.SpeechRate * 6 / 10
	// previewEvery is the sound between two steps of a preview, and between two
	// attempts to get a decoder for it.
	previewEvery = audio.SpeechRate * 3 / 10
)

// utterance has one caller's speech decoded. It belongs to the goroutine that
// runs Transcribe.
type utterance struct {
	e     *Engine
	sound capture.Buffer
	guess *task // decodes sound.Utterance()

	lease *lease
	fed   int // samples given to the preview
	tryAt int // samples at which to look for a decoder again
	shown string
}

// add takes the next frame and follows the speaker's activity.
func (u *utterance) add(f audio.Frame) error {
	change, err := u.sound.Add(f)
	switch change {
	case capture.Resumed:
		u.drop()
	case capture.Full:
		u.e.log.Warn("utterance is too long; the rest is ignored", "kept", u.e.cfg.MaxUtterance)
		u.speculate()
	case capture.Paused:
		u.speculate()
	}
	return err
}

func (u *utterance) speculate() {
	pcm := u.sound.Utterance()
	if !u.e.cfg.Speculate || len(pcm) < capture.Shortest {
		return
	}
	u.closePreview() // its decoder is wanted now
	u.guess = u.e.pool.start(pcm)
}

// drop gives up a decode that the speaker has overtaken.
func (u *utterance) drop() {
	if u.guess != nil {
		u.e.pool.abandon(u.guess)
		u.guess = nil
	}
}

// preview returns new words while the speaker speaks.
func (u *utterance) preview() (string, bool) {
	if !u.e.cfg.Partials || u.sound.Paused() {
		return "", false
	}
	pcm := u.sound.PCM()
	if u.lease == nil {
		if len(pcm) < max(firstPreview, u.tryAt) {
			return "", false
		}
		u.tryAt = len(pcm) + previewEvery
		u.lease, u.fed = u.e.pool.lend(), 0
		return "", false
	}
	text, alive := u.lease.poll()
	if !alive {
		u.closePreview()
		return "", false
	}
	if len(pcm)-u.fed >= previewEvery && u.lease.feed(pcm[u.fed:]) {
		u.fed = len(pcm)
	}
	if text == "" || text == u.shown {
		return "", false
	}
	u.shown = text
	return text, true
}

func (u *utterance) closePreview() {
	if u.lease != nil {
		u.lease.close()
		u.lease = nil
	}
}

// final returns the text of the whole utterance, from the decode begun at the
// last pause where there is one.
func (u *utterance) final(ctx context.Context) (stt.Transcript, error) {
	if err := ctx.Err(); err != nil {
		return stt.Transcript{}, err
	}
	u.closePreview()
	if u.guess != nil && u.guess.refused() {
		u.guess = nil // there may be room by now
	}
	if u.guess == nil {
		pcm := u.sound.Utterance()
		if len(pcm) < capture.Shortest {
			return stt.Transcript{Final: true, Language: u.e.cfg.Language}, nil
		}
		u.guess = u.e.pool.start(pcm)
	}
	select {
	case <-u.guess.done:
		tr, err := u.guess.result, u.guess.err
		u.guess = nil
		return tr, err
	case <-ctx.Done():
		return stt.Transcript{}, ctx.Err()
	}
}

// leave gives back what the utterance holds.
func (u *utterance) leave() {
	u.drop()
	u.closePreview()
}
