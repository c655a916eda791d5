package vad

import (
	"time"

	"parley/audio"
)

// Segmenter turns a Scorer's probabilities and the power of the sound into
// events. It is pure: no clock, no goroutine, no allocation after NewSegmenter.
// Frames are 16 kHz mono of any length; frames at another rate are passed over.
// It keeps about 10 KB.
//
// Events alternate: SpeechStarted, then any number of SpeechPaused and
// SpeechResumed in turn, then SpeechEnded, with SpeechPaused left out where
// Config.PauseAfter is not below Config.Silence.
//
// Concealed frames are unknown: they neither count as silence nor end speech,
// for a second at a stretch; what follows without a packet is silence. Comfort
// frames are silence.
type Segmenter struct {
	cfg    Config
	scorer Scorer
	state  state

	heard   int64 // samples, unknown ones left out: the clock of all positions
	unknown int   // samples in a row
	now     window
	pcm     [Window]int16
	fill    int  // samples of pcm
	invents bool // pcm holds silence that nobody recorded

	past     history
	gate     gate
	arrivals arrivals
	onset    onset
	last     boundary
	stats    Stats
}

type state uint8

const (
	idle state = iota
	speaking
	paused
)

// onset collects the evidence that speech begins.
type onset struct {
	length int   // samples of speech so far
	first  int64 // where it began
}

// boundary is where speech ended, as far as is known.
type boundary struct {
	position int64
	media    time.Duration
	arrived  time.Time
}

// Stats counts windows of 32 ms.
type Stats struct {
	Scored  uint64 // judged by the scorer
	Skipped uint64 // too quiet to be worth it
}

var _ Detector = (*Segmenter)(nil)

const (
	hysteresis = 0.15
	// tail is how late the last voiced sample may lie in a frame without the
	// frame holding speech: Opus delays sound by 6.5 ms (RFC 6716 §4.2.9 and its
	// encoder's look-ahead), the rest is the resolution of slices and pitch.
	tail       = 12 * samplesPerMS
	maxUnknown = audio.SpeechRate // a second
	minSlices  = 4                // of a window, louder than the limit, where it counts towards the beginning
)

// NewSegmenter returns a segmenter over a scorer of its own. Settings out of
// range are moved to the nearest end of it.
func NewSegmenter(cfg Config, scorer Scorer) *Segmenter {
	s := &Segmenter{scorer: scorer}
	s.SetConfig(cfg)
	return s
}

// SetConfig changes the settings from the next frame on. Settings out of range
// are moved to the nearest end of it.
func (s *Segmenter) SetConfig(cfg Config) { s.cfg = cfg.clamp() }

// Tune changes the threshold and the silence from the next frame on.
func (s *Segmenter) Tune(threshold float64, silence time.Duration) {
	cfg := s.cfg
	cfg.Threshold, cfg.Silence = threshold, silence
	s.SetConfig(cfg)
}

// Stats returns what was counted so far.
func (s *Segmenter) Stats() Stats { return s.stats }

// LastVoiced returns the media time just after the last voiced sample, and when
// the packet that brought it arrived; zero before any speech.
func (s *Segmenter) LastVoiced() (media time.Duration, arrived time.Time) {
	return s.last.media, s.last.arrived
}

// Observe implements Detector.
func (s *Segmenter) Observe(f audio.Frame) (Event, bool) {
	if f.Rate != audio.SpeechRate || len(f.PCM) == 0 {
		return Event{}, false
	}
	silent := f.Origin == audio.Comfort
	if f.Origin == audio.Concealed {
		if s.unknown += len(f.PCM); s.unknown <= maxUnknown {
			return Event{}, false
		}
		silent = true
	} else {
		s.unknown = 0
	}
	s.arrivals.add(arrival{position: s.heard, media: f.Start, arrived: f.Arrived})
	s.take(f.PCM, silent)
	return s.decide()
}

// take regroups samples into windows and judges those that are full.
func (s *Segmenter) take(pcm []int16, silent bool) {
	for len(pcm) > 0 {
		n := min(len(pcm), Window-s.fill)
		if silent {
			clear(s.pcm[s.fill : s.fill+n])
			s.invents = true
		} else {
			copy(s.pcm[s.fill:], pcm[:n])
		}
		s.measure(s.fill, s.fill+n)
		s.fill += n
		s.heard += int64(n)
		pcm = pcm[n:]
		if s.fill == Window {
			s.judge()
			s.fill, s.invents = 0, false
		}
	}
}

// measure adds the samples from..to of the window being filled to the powers of
// their slices.
func (s *Segmenter) measure(from, to int) {
	for from < to {
		i := from / slice
		end := min(to, (i+1)*slice)
		var sum int64
		for _, v := range s.pcm[from:end] {
			sum += int64(v) * int64(v)
		}
		s.now.powers[i] += float32(sum) * (1.0 / (slice * 32768 * 32768))
		from = end
	}
}

// judge closes the window that is full.
func (s *Segmenter) judge() {
	s.now.end = s.heard
	power := s.now.mean()
	resting := s.state == idle && s.onset.length == 0
	if resting && s.gate.closed && !s.gate.lets(power) {
		s.gate.hold(&s.pcm, power)
		s.stats.Skipped++
		s.remember(0)
		return
	}
	if s.gate.closed {
		s.wake()
	}
	p := s.scorer.Score(s.pcm[:])
	s.stats.Scored++
	if resting {
		s.gate.judged(power, p)
	}
	s.remember(p)
	s.follow(p)
}

// wake lets the scorer hear the windows that were held back last.
func (s *Segmenter) wake() {
	s.scorer.Reset()
	s.gate.open(func(pcm []int16, back int) {
		p := s.scorer.Score(pcm)
		s.stats.Scored++
		s.stats.Skipped--
		if w := s.past.back(back - 1); w != nil {
			w.p = p
		}
	})
}

// remember adds the window to the past and learns from it.
func (s *Segmenter) remember(p float32) {
	s.now.p = p
	s.past.add(s.now, !s.invents)
	s.now = window{}
}

// follow draws the consequences of a window's probability.
func (s *Segmenter) follow(p float32) {
	if p >= s.on() {
		s.past.learnVoice()
	}
	if s.state == idle {
		s.awaitOnset(p)
		return
	}
	if at, ok := s.past.lastVoiced(s.on(), s.off()); ok {
		s.moveLast(at)
	}
}

// awaitOnset collects evidence until there is enough of it.
func (s *Segmenter) awaitOnset(p float32) {
	switch {
	case p < s.off():
		if s.onset.length > 0 {
			s.onset, s.past.voice = onset{}, 0
		}
	case p >= s.on() && s.sounds():
		if s.onset.length == 0 {
			s.onset.first = max(s.past.firstVoiced(0), s.last.position)
		}
		s.onset.length += Window
	}
}

// sounds tells whether the newest window holds sound, where power can tell.
func (s *Segmenter) sounds() bool {
	return s.past.drowned() || s.past.back(0).above(s.past.limit()) >= minSlices
}

// moveLast notes where speech ended, never before where it began.
func (s *Segmenter) moveLast(at int64) {
	at = max(at, s.onset.first+slice)
	if at == s.last.position {
		return
	}
	s.last.position = at
	s.last.media, _ = s.arrivals.locate(at - 1)
	s.last.media += audio.SamplesToDuration(1, audio.SpeechRate)
	_, s.last.arrived = s.arrivals.locate(max(at-tail, s.onset.first))
}

// decide compares the silence with the settings.
func (s *Segmenter) decide() (Event, bool) {
	if s.state == idle {
		return s.begin()
	}
	silence := audio.SamplesToDuration(int(s.heard-s.last.position)+tail, audio.SpeechRate)
	sounds := s.now.above(s.past.limit()) >= minSlices // not judged yet: it may be speech
	switch {
	case silence >= s.cfg.Silence && !sounds:
		s.state, s.onset, s.past.voice = idle, onset{}, 0
		return s.event(SpeechEnded)
	case s.state == speaking && silence >= s.pauseAfter() && !sounds:
		s.state = paused
		return s.event(SpeechPaused)
	case s.state == paused && silence < s.cfg.PauseAfter:
		s.state = speaking
		return s.event(SpeechResumed)
	}
	return Event{}, false
}

// pauseAfter is the silence that makes a pause. Where only the network can tell
// and it hears speech still, the silence counted is but its lag.
func (s *Segmenter) pauseAfter() time.Duration {
	if w := s.past.back(0); w == nil || w.p < s.on() {
		return s.cfg.PauseAfter
	}
	doubt := time.Duration((1 - s.past.clarity()) * float32(2*windowTime))
	return s.cfg.PauseAfter + doubt
}

// begin starts speech once enough was heard.
func (s *Segmenter) begin() (Event, bool) {
	need := audio.DurationToSamples(s.cfg.MinSpeech, audio.SpeechRate)
	if s.onset.length == 0 || s.onset.length < need {
		return Event{}, false
	}
	s.state = speaking
	at, ok := s.past.lastVoiced(s.on(), s.off())
	if !ok {
		at = s.heard
	}
	s.moveLast(at)
	media, arrived := s.arrivals.locate(s.onset.first)
	return Event{Kind: SpeechStarted, At: media, Arrived: arrived}, true
}

func (s *Segmenter) event(k Kind) (Event, bool) {
	return Event{Kind: k, At: s.last.media, Arrived: s.last.arrived}, true
}

func (s *Segmenter) on() float32  { return float32(s.cfg.Threshold) }
func (s *Segmenter) off() float32 { return float32(max(s.cfg.Threshold-hysteresis, s.cfg.Threshold/2)) }
