package perclause

import (
	"math"
	"time"
	"unicode/utf8"

	"parley/audio"
	"parley/tts"
)

const (
	defaultBuffer = time.Second
	// A clause ends in a pause, longer after a sentence. What the engine gives
	// beyond it goes.
	sentencePause = 200 * time.Millisecond
	clausePause   = 100 * time.Millisecond
	// fadeIn is kept of the silence before the first sound, so that soft
	// consonants are not clipped.
	fadeIn          = 10 * time.Millisecond
	defaultMaxPause = 2 * time.Second
)

// piece is one frame of audio, or less, on its way to the listener.
type piece struct {
	pcm   []int16
	words []tts.Word
}

// job is one clause in the making. Its fields belong to the goroutine of run,
// but for the channels; err may be read once pieces is closed.
type job struct {
	stream *stream
	clause string
	pieces chan piece    // bounded; run blocks
	sounds chan struct{} // closed at the first piece, or at the end
	err    error

	frame   int // samples per piece
	trim    trimmer
	sounded bool
	sent    int           // samples
	pending []int16       // of the next piece
	words   []tts.Word    // not reported yet
	lastEnd time.Duration // of the words reported
}

func newJob(s *stream, clause string) *job {
	buffer := s.voice.Buffer
	if buffer <= 0 {
		buffer = defaultBuffer
	}
	most := s.voice.MaxPause
	if most <= 0 {
		most = defaultMaxPause
	}
	j := &job{
		stream: s,
		clause: clause,
		pieces: make(chan piece, max(1, int(buffer/audio.FrameDuration))),
		sounds: make(chan struct{}),
		frame:  audio.DurationToSamples(audio.FrameDuration, s.voice.Rate),
	}
	samples := func(d time.Duration) int { return audio.DurationToSamples(d, s.voice.Rate) }
	pause := pauseAfter(clause)
	j.trim = trimmer{
		threshold: s.voice.Threshold, keep: samples(fadeIn), pause: samples(pause), most: samples(max(0, most-pause)), out: j.send,
	}
	return j
}

func (j *job) run() {
	defer func() {
		j.sound()
		close(j.pieces)
	}()
	if err := j.stream.ctx.Err(); err != nil {
		j.err = err
		return
	}
	if j.err = j.stream.voice.Say(j.stream.ctx, j.clause, j.emit); j.err == nil {
		j.err = j.finish()
	}
	if ctxErr := j.stream.ctx.Err(); j.err != nil && ctxErr != nil {
		j.err = ctxErr // whatever it broke with, that is why
	}
}

// emit implements Emit.
func (j *job) emit(pcm []int16, words ...tts.Word) error {
	if err := j.stream.ctx.Err(); err != nil {
		return err
	}
	j.words = append(j.words, words...)
	if err := j.trim.feed(pcm); err != nil {
		return err
	}
	return j.flush()
}

// finish sends what belongs to the clause after its last sound: the words that
// were not reported, and silence until the last of them has ended.
func (j *job) finish() error {
	rate := j.stream.voice.Rate
	last := j.lastEnd
	if n := len(j.words); n > 0 {
		last = max(last, j.words[n-1].End-audio.SamplesToDuration(j.trim.removed, rate))
	}
	need := audio.DurationToSamples(last, rate) - j.sent
	if err := j.trim.release(need); err != nil {
		return err
	}
	if err := j.flush(); err != nil {
		return err
	}
	if len(j.words) == 0 {
		return nil
	}
	end := audio.SamplesToDuration(j.sent, rate)
	words := j.due(math.MaxInt64)
	for i := range words {
		words[i].Start, words[i].End = min(words[i].Start, end), min(words[i].End, end)
	}
	return j.put(piece{words: words})
}

// send gathers pcm into frames and hands on those that are full.
func (j *job) send(pcm []int16) error {
	for len(pcm) > 0 {
		if j.pending == nil {
			j.pending = j.buffer()
		}
		n := min(len(pcm), j.frame-len(j.pending))
		j.pending = append(j.pending, pcm[:n]...)
		pcm = pcm[n:]
		if len(j.pending) == j.frame {
			if err := j.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush hands on a frame that is not full: nothing waits for more to come.
func (j *job) flush() error {
	n := len(j.pending)
	if n == 0 {
		return nil
	}
	p := piece{pcm: j.pending, words: j.due(audio.SamplesToDuration(j.sent+n, j.stream.voice.Rate))}
	j.pending = nil
	j.sent += n
	return j.put(p)
}

func (j *job) buffer() []int16 {
	select {
	case buf := <-j.stream.free:
		return buf
	default:
		return make([]int16, 0, j.frame)
	}
}

func (j *job) put(p piece) error {
	select {
	case j.pieces <- p:
		j.sound()
		return nil
	case <-j.stream.ctx.Done():
		return j.stream.ctx.Err()
	}
}

func (j *job) sound() {
	if !j.sounded {
		j.sounded = true
		close(j.sounds)
	}
}

// due takes the words that begin before end off the list, with their times as
// they are in what is sent.
func (j *job) due(end time.Duration) []tts.Word {
	removed := audio.SamplesToDuration(j.trim.removed, j.stream.voice.Rate)
	n := 0
	for n < len(j.words) && j.words[n].Start-removed < end {
		n++
	}
	if n == 0 {
		return nil
	}
	words := append([]tts.Word(nil), j.words[:n]...)
	for i := range words {
		words[i].Start = max(0, words[i].Start-removed)
		words[i].End = max(words[i].Start, words[i].End-removed)
		j.lastEnd = max(j.lastEnd, words[i].End)
	}
	j.words = j.words[n:]
	return words
}

// pauseAfter is longer where clause ends a sentence.
func pauseAfter(clause string) time.Duration {
	for i := len(clause); i > 0; {
		r, size := utf8.DecodeLastRuneInString(clause[:i])
		i -= size
		switch r {
		case '.', '!', '?', '。', '！', '？', '।', '؟', '\n':
			return sentencePause
		case ' ', '"', '\'', ')', ']', '”', '’', '»', '」':
		default:
			return clausePause
		}
	}
	return clausePause
}
