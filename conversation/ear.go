package conversation

import (
	"sync"
	"time"

	"parley/audio"
	"parley/media/vad"
)

// Detector is the voice activity detector of one call.
type Detector interface {
	vad.Detector
	// Tune changes the speech probability that starts a turn (0..1) and the
	// silence that ends one, from the next frame on.
	Tune(threshold float64, silence time.Duration)
}

const (
	ringLength   = 1600 * time.Millisecond // the past a turn may begin in: the longest prefix and the detector's delay
	tailLength   = 60 * time.Millisecond   // sound still under way when a talk button goes up
	tailPatience = 100 * time.Millisecond  // for that sound, when no packets come
	maxUtterance = 60 * time.Second
	starveSpeech = 3 * time.Second // without packets: the caller's microphone or network has gone
	// tailQuiet is how far, as a ratio of RMS, a frame must fall below the
	// loudest of its utterance to be silence: -26 dB.
	tailQuiet = 0.05
	silentRMS = 0.0018 // of full scale, -55 dBFS: silence whatever came before
)

// ear turns frames into inputs: it runs the detector, keeps the recent past,
// and feeds the utterance that is open. The media receiver calls hear, the loop
// everything else; the mutex is for their meeting. Frames end here, so that
// silence wakes nobody.
type ear struct {
	mu       sync.Mutex
	detector Detector
	prefix   time.Duration
	ring     []audio.Frame // oldest at head
	head     int
	voice    audio.Activity

	turn    int // whose utterance is open; 0: none
	open    *utterance
	loudest float64
	latest  time.Time     // a frame came, or the utterance was opened
	capped  bool          // a turn was cut for its length in mid-speech: the next begins at once
	starve  time.Duration // without a frame for so long the open utterance is over
	tail    struct {
		on       bool
		media    time.Duration // ends here at the latest
		deadline time.Time     // or now, when no packets come
	}
}

func newEar(d Detector) *ear {
	return &ear{
		detector: d,
		ring:     make([]audio.Frame, 0, ringLength/audio.FrameDuration),
		voice:    audio.Unjudged,
	}
}

func (e *ear) tune(s Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prefix = s.Prefix
	e.detector.Tune(s.Threshold, s.Silence)
}

// hear takes the next frame and returns what it means. While one peer takes the
// place of another both may call it.
func (e *ear) hear(f audio.Frame) (news []Input) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latest = f.Arrived
	event, happened := e.detector.Observe(f)
	if happened {
		switch event.Kind {
		case vad.SpeechStarted, vad.SpeechResumed:
			e.voice = audio.Voice
		case vad.SpeechPaused:
			e.voice = audio.Pause
		case vad.SpeechEnded:
			e.voice, e.capped = audio.Unjudged, false
		}
	}
	f.Activity = e.voice
	if n := len(e.ring); n > 0 && f.Start < e.ring[(e.head+n-1)%n].Start { // a new peer counts anew
		e.ring, e.head = e.ring[:0], 0
	}
	e.keep(f)
	if e.open != nil {
		e.open.add(f)
		news = e.follow(f, news)
	}
	switch {
	case e.capped && e.open == nil && e.voice == audio.Voice:
		e.capped = false
		news = append(news, speechBegan{media: f.Start, arrived: f.Arrived})
	case happened && event.Kind == vad.SpeechStarted:
		news = append(news, speechBegan{media: event.At, arrived: event.Arrived})
	case happened && event.Kind == vad.SpeechEnded:
		news = append(news, speechEnded{media: event.At, arrived: event.Arrived})
	}
	return news
}

// follow watches the open utterance for its tail and for its length.
func (e *ear) follow(f audio.Frame, news []Input) []Input {
	rms := audio.RMS(f.PCM)
	e.loudest = max(e.loudest, rms)
	if length, _ := e.open.size(); length >= maxUtterance {
		e.capped = e.voice == audio.Voice
		return append(news, speechEnded{media: f.End(), arrived: f.Arrived, forced: true})
	}
	quiet := rms < silentRMS || rms < e.loudest*tailQuiet
	if e.tail.on && (quiet || f.End() >= e.tail.media) {
		e.tail.on = false
		news = append(news, tailEnded{turn: e.turn, media: f.End(), arrived: f.Arrived})
	}
	return news
}

// keep puts a copy of f into the ring, reusing the memory of the frame it replaces.
func (e *ear) keep(f audio.Frame) {
	if len(e.ring) < cap(e.ring) {
		e.ring = append(e.ring, f.Clone())
		return
	}
	old := &e.ring[e.head]
	pcm := append(old.PCM[:0], f.PCM...)
	*old = f
	old.PCM = pcm
	e.head = (e.head + 1) % len(e.ring)
}

// begin opens the utterance of a turn with the prefix before from (fromNow: before
// the latest frame) and returns it.
func (e *ear) begin(turn int, from time.Duration, now time.Time) *utterance {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latest, e.starve = now, starveSpeech
	if from == fromNow {
		e.starve = maxUtterance // the button says when it is over
	}
	e.turn, e.open, e.loudest, e.tail.on = turn, newUtterance(), 0, false
	if n := len(e.ring); from == fromNow && n > 0 {
		from = e.ring[(e.head+n-1)%n].End()
	}
	for i := range e.ring {
		if f := e.ring[(e.head+i)%len(e.ring)]; f.End() > from-e.prefix {
			e.open.add(f)
			e.loudest = max(e.loudest, audio.RMS(f.PCM))
		}
	}
	return e.open
}

// awaitTail lets the open utterance run on until its sound has ended.
func (e *ear) awaitTail(turn int, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turn != turn || e.open == nil {
		return
	}
	e.tail.on, e.tail.deadline, e.tail.media = true, now.Add(tailPatience), 0
	if n := len(e.ring); n > 0 {
		e.tail.media = e.ring[(e.head+n-1)%n].End() + tailLength
	}
}

// tick ends a tail for which no packets come.
func (e *ear) tick(now time.Time) (Input, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open != nil && !e.tail.on && !now.Before(e.latest.Add(e.starve)) {
		e.latest = now
		return speechEnded{media: e.lastEnd(), arrived: now.Add(-e.starve), forced: true}, true
	}
	if !e.tail.on || now.Before(e.tail.deadline) {
		return nil, false
	}
	e.tail.on = false
	return tailEnded{turn: e.turn, media: e.tail.media, arrived: now}, true
}

// wake is when tick is due; zero when it is not.
func (e *ear) wake() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tail.on {
		return e.tail.deadline
	}
	if e.open != nil {
		return e.latest.Add(e.starve)
	}
	return time.Time{}
}

func (e *ear) lastEnd() time.Duration {
	if n := len(e.ring); n > 0 {
		return e.ring[(e.head+n-1)%n].End()
	}
	return 0
}

// end closes the utterance of turn, if it is the open one.
func (e *ear) end(turn int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turn == turn && e.open != nil {
		e.open.close()
		e.turn, e.open, e.tail.on = 0, nil, false
	}
}
