package pocketsphinx

import (
	"context"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt"
)

const (
	// shortest is the least sound worth decoding, 100 ms.
	shortest = audio.SpeechRate / 10
	// firstPreview is the speech before a preview is tried: a word takes about as long.
	firstPreview = audio.SpeechRate * 6 / 10
	// previewEvery is the sound between two steps of a preview, and between two
	// attempts to get a decoder for it.
	previewEvery = audio.SpeechRate * 3 / 10
)

// utterance collects one caller's speech and has it decoded. It belongs to the
// goroutine that runs Transcribe. pcm only grows, and what lies below its
// length never changes, so that decodes under way may read it.
type utterance struct {
	e     *Engine
	pcm   []int16
	limit int // samples kept
	over  bool

	spoken  bool  // a Voice frame was heard
	pauseAt int   // samples up to and with the first Pause frame since the last Voice; 0: no pause
	guess   *task // decodes pcm[:pauseAt]

	lease *lease
	fed   int // samples given to the preview
	tryAt int // samples at which to look for a decoder again
	shown string
}

// add takes a copy of f's samples and follows the speaker's activity.
func (u *utterance) add(f audio.Frame) error {
	if f.Rate != audio.SpeechRate {
		return fault.Newf(fault.BadInput, "stt/pocketsphinx: transcribe", "frames at %d Hz, want %d", f.Rate, audio.SpeechRate)
	}
	room := u.limit - len(u.pcm)
	if room < len(f.PCM) && !u.over {
		u.over = true
		u.e.log.Warn("utterance is too long; the rest is ignored", "kept", audio.SamplesToDuration(u.limit, audio.SpeechRate))
	}
	u.pcm = append(u.pcm, f.PCM[:min(room, len(f.PCM))]...)
	switch {
	case f.Activity == audio.Voice && room > 0:
		u.spoken, u.pauseAt = true, 0
		u.drop()
	case f.Activity == audio.Pause && u.spoken && u.pauseAt == 0:
		u.pauseAt = len(u.pcm)
		u.speculate()
	case u.over && u.pauseAt == 0:
		u.pauseAt = len(u.pcm) // nothing more will be kept: no need to wait for the end
		u.speculate()
	}
	return nil
}

func (u *utterance) speculate() {
	if !u.e.cfg.Speculate || u.guess != nil || u.pauseAt < shortest {
		return
	}
	u.closePreview() // its decoder is wanted now
	u.guess = u.e.pool.start(u.pcm[:u.pauseAt:u.pauseAt])
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
	if !u.e.cfg.Partials || u.pauseAt > 0 || u.over {
		return "", false
	}
	if u.lease == nil {
		if len(u.pcm) < max(firstPreview, u.tryAt) {
			return "", false
		}
		u.tryAt = len(u.pcm) + previewEvery
		u.lease, u.fed = u.e.pool.lend(), 0
		return "", false
	}
	text, alive := u.lease.poll()
	if !alive {
		u.closePreview()
		return "", false
	}
	if n := len(u.pcm); n-u.fed >= previewEvery && u.lease.feed(u.pcm[u.fed:n:n]) {
		u.fed = n
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
	if u.guess == nil {
		end := len(u.pcm)
		if u.pauseAt > 0 {
			end = u.pauseAt
		}
		if end < shortest {
			return stt.Transcript{Final: true, Language: u.e.cfg.Language}, nil
		}
		u.guess = u.e.pool.start(u.pcm[:end:end])
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
