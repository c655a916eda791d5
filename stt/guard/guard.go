// Package guard keeps words that nobody said from starting a turn. Recognisers,
// Whisper above all, make text out of silence and noise ("thank you."); the
// guard measures what was really heard and empties a final that the sound does
// not bear out. It judges little and late: whoever spoke audibly is believed.
//
// May import: stt, audio and the standard library.
// Concurrency: a Guard is safe for concurrent use; it starts no goroutine.
package guard

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/audio"
	"parley/stt"
)

// Config says what counts as heard.
type Config struct {
	Enabled bool `koanf:"enabled" yaml:"enabled"`
	// MinVoice is the least speech an utterance must hold: frames above MinLevel,
	// and judged Voice where a detector has found most of the speech.
	MinVoice time.Duration `koanf:"min_voice" yaml:"min_voice"`
	// MinLevel, in dBFS, is the RMS level a 20 ms frame must reach to count.
	MinLevel float64 `koanf:"min_level" yaml:"min_level"`
	// FaintLevel, in dBFS, and BriefVoice: an utterance whose loudest frame is
	// below the one, or whose speech is shorter than the other, is doubtful.
	// Doubtful utterances may not consist of a phrase that recognisers invent.
	FaintLevel float64       `koanf:"faint_level" yaml:"faint_level"`
	BriefVoice time.Duration `koanf:"brief_voice" yaml:"brief_voice"`
	// MaxWordsPerSecond of speech; nobody talks faster, but a recogniser that
	// goes round in circles writes faster.
	MaxWordsPerSecond float64 `koanf:"max_words_per_second" yaml:"max_words_per_second"`
	// Phrases are more inventions, beside those known (see Phrases).
	Phrases []string `koanf:"phrases" yaml:"phrases"`
}

// DefaultConfig is on, with levels that let a quiet speaker pass.
func DefaultConfig() Config {
	return Config{
		Enabled: true, MinVoice: 80 * time.Millisecond, MinLevel: -55,
		FaintLevel: -42, BriefVoice: 240 * time.Millisecond, MaxWordsPerSecond: 9,
	}
}

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	var errs []error
	if c.MinVoice < 0 || c.BriefVoice < 0 {
		errs = append(errs, errors.New("stt/guard: min_voice and brief_voice must not be negative"))
	}
	if c.MinLevel > 0 || c.FaintLevel > 0 {
		errs = append(errs, errors.New("stt/guard: min_level and faint_level are in dBFS: 0 or less"))
	}
	if c.MaxWordsPerSecond < 0 {
		errs = append(errs, errors.New("stt/guard: max_words_per_second must not be negative"))
	}
	return errors.Join(errs...)
}

// Guard is a Transcriber over another one.
type Guard struct {
	next    stt.Transcriber
	cfg     Config
	phrases map[string]bool
	log     *slog.Logger
	emptied atomic.Uint64
}

var _ stt.Transcriber = (*Guard)(nil)

// New returns a guard over next; with cfg.Enabled false it lets everything through.
func New(next stt.Transcriber, cfg Config, log *slog.Logger) (*Guard, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Guard{next: next, cfg: cfg, log: log, phrases: map[string]bool{}}
	for _, p := range append(Phrases(), cfg.Phrases...) {
		g.phrases[normal(p)] = true
	}
	return g, nil
}

// Emptied is how many finals were emptied.
func (g *Guard) Emptied() uint64 { return g.emptied.Load() }

// Transcribe implements stt.Transcriber. Partials are held back until enough
// speech for a final was heard.
func (g *Guard) Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	if !g.cfg.Enabled {
		return g.next.Transcribe(ctx, speech)
	}
	return func(yield func(stt.Transcript, error) bool) {
		m := meter{minLevel: g.cfg.MinLevel}
		for tr, err := range g.next.Transcribe(ctx, m.listen(speech)) {
			if err == nil && !tr.Final && m.heard().Voice < g.cfg.MinVoice {
				continue
			}
			if err == nil && tr.Final && tr.Text != "" {
				if why := g.judge(tr.Text, m.heard()); why != "" {
					h := m.heard()
					g.emptied.Add(1)
					g.log.Info("words without speech", "reason", why, "voice", h.Voice, "peak_dbfs", h.Peak)
					tr = stt.Transcript{Final: true, Language: tr.Language}
				}
			}
			if !yield(tr, err) {
				return
			}
		}
	}
}

// meter measures the frames on their way to the recogniser, in the goroutine
// that pulls them.
type meter struct {
	minLevel float64
	judged   bool          // a detector has found a voice
	voice    time.Duration // Voice frames above the level
	paused   time.Duration // Pause frames above the level
	loud     time.Duration // frames above the level, whatever the detector says
	peak     float64       // RMS of the loudest such frame, 0..1
}

func (m *meter) listen(speech iter.Seq[audio.Frame]) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		for f := range speech {
			m.add(f)
			if !yield(f) {
				return
			}
		}
	}
}

func (m *meter) add(f audio.Frame) {
	// Pause alone proves nothing: with a talk button the frames from before the
	// press may end the sentence before, and the detector need not fire again.
	if f.Activity == audio.Voice {
		m.judged = true
	}
	if f.Origin == audio.Concealed || f.Origin == audio.Comfort {
		return // nobody recorded it
	}
	level := audio.RMS(f.PCM)
	if audio.DBFS(level) < m.minLevel {
		return
	}
	m.loud += f.Duration()
	m.peak = max(m.peak, level)
	switch f.Activity {
	case audio.Voice:
		m.voice += f.Duration()
	case audio.Pause:
		m.paused += f.Duration()
	case audio.Unjudged:
	}
}

// preRoll is more than a detector leaves unjudged at the head of an utterance
// that it opened itself: the prefix, and what it needs to make up its mind.
const preRoll = 500 * time.Millisecond

// Heard is what an utterance sounded like.
type Heard struct {
	Voice time.Duration // speech loud enough to count
	Sure  time.Duration // as much of it as is no mere noise before a sound
	Peak  float64       // dBFS RMS of the loudest frame; -Inf for none
}

// heard believes the detector about the length of the speech unless what it did
// not judge is longer than what it found: under a talk button it may fire late,
// or not at all.
func (m *meter) heard() Heard {
	h := Heard{Voice: m.voice, Sure: m.voice, Peak: audio.DBFS(m.peak)}
	if !m.judged {
		h.Voice, h.Sure = m.loud, m.loud
		return h
	}
	audible := m.loud - m.paused
	if audible > 2*m.voice {
		h.Voice = audible
		if audible-m.voice > preRoll {
			h.Sure = audible
		}
	}
	return h
}
