package vad

// What the segmenter remembers: the last second of audio as the probability of
// each window and the power of each of its slices, on the clock of samples heard.

const (
	slice    = 32             // samples (2 ms) whose power is known on its own
	slices   = Window / slice // per window
	windows  = 32             // remembered
	quietest = 1e-8           // -80 dBFS: the background is not taken to be lower
	unheard  = 1              // full scale: a level that nothing was learned from
)

// window is one judged stretch of Window samples. Powers are mean squares of
// samples scaled to ±1.
type window struct {
	end    int64 // just after its last sample
	p      float32
	powers [slices]float32
}

// mean is the power of the whole window.
func (w *window) mean() float32 {
	var sum float32
	for _, v := range w.powers {
		sum += v
	}
	return sum / slices
}

// above counts the slices louder than limit.
func (w *window) above(limit float32) int {
	n := 0
	for _, v := range w.powers {
		if v > limit {
			n++
		}
	}
	return n
}

// floor is the power of the quieter half of the window.
func (w *window) floor() float32 {
	var halves [2]float32
	for i, v := range w.powers {
		halves[i/(slices/2)] += v
	}
	return min(halves[0], halves[1]) / (slices / 2)
}

// history is a ring of the last windows and what they teach about levels.
type history struct {
	ring   [windows]window
	floors [windows]float32 // of the windows in ring; unheard where nothing was recorded
	count  int              // windows ever added
	noise  float32          // power of the background: the quietest 16 ms remembered
	voice  float32          // power of the loud parts of this utterance; 0 before it
}

// back returns the window n before the newest, or nil where memory ends.
func (h *history) back(n int) *window {
	if n < 0 || n >= windows || n >= h.count {
		return nil
	}
	return &h.ring[(h.count-1-n)%windows]
}

// power returns the power of the slice n before the newest; 0 where memory ends.
func (h *history) power(n int) float32 {
	if w := h.back(n / slices); w != nil {
		return w.powers[slices-1-n%slices]
	}
	return 0
}

// add appends a window and finds the background's level. Speech leaves gaps
// between its sounds where the background shows; where it leaves none, the
// background is taken for loud, and power is trusted less (see clarity).
func (h *history) add(w window, recorded bool) {
	i := h.count % windows
	h.ring[i], h.floors[i] = w, unheard
	if recorded {
		h.floors[i] = w.floor()
	}
	h.count++
	h.noise = unheard
	for _, v := range h.floors[:min(h.count, windows)] {
		h.noise = min(h.noise, v)
	}
	h.noise = max(h.noise, quietest)
}

// voiceFall is how fast the speaker's level may fall, per window: 6 dB/s.
const voiceFall = 0.957

// learnVoice follows the speaker's level with the newest window, one of speech.
func (h *history) learnVoice() { h.voice = max(h.back(0).mean(), h.voice*voiceFall) }

// Ratios of power.
const (
	overNoise  = 10    // 10 dB: louder than this over the background is a sound
	underVoice = 0.001 // -30 dB: quieter than this under the voice is no speech
	noisy      = 1000  // 30 dB from background to voice: quiet ends of words may drown
	clean      = 31600 // 45 dB: nothing drowns
	buried     = 31.6  // 15 dB: power tells nothing
)

// limit is the power above which a slice holds sound that may be speech.
func (h *history) limit() float32 { return max(h.noise*overNoise, h.voice*underVoice) }

// drowned tells whether power cannot tell the voice from the background.
func (h *history) drowned() bool { return h.voice < h.noise*buried }

// clarity is 0 where the background may hide quiet ends of words, 1 where it
// cannot, and between in proportion.
func (h *history) clarity() float32 {
	ratio := h.voice / h.noise
	return min(max((ratio-noisy)/(clean-noisy), 0), 1)
}
