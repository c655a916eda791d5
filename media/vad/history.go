package vad

// What the segmenter remembers: the last second of audio as the probability of
// each window and the power of each of its slices, on the clock of samples heard.

const (
	slice      = 32             // samples (2 ms) whose power is known on its own
	slices     = Window / slice // per window
	windows    = 32             // remembered
	quietest   = 1e-8           // -80 dBFS: no noise floor is taken to be lower
	firstFloor = 1e-6           // -60 dBFS: before anything was heard; too low is safe
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

// history is a ring of the last windows and what they teach about levels.
type history struct {
	ring  [windows]window
	count int     // windows ever added
	noise float32 // power of the background
	voice float32 // power of the loud parts of this utterance; 0 before it
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

// add appends a window.
func (h *history) add(w window) {
	h.ring[h.count%windows] = w
	h.count++
}

// Rates at which levels follow, per half window (16 ms) or window.
const (
	noiseRiseSpeech  = 1.011 // 3 dB/s: the background may change under speech
	noiseRiseSilence = 1.057 // 15 dB/s
	voiceFall        = 0.957 // 6 dB/s, per window of speech
)

// learnNoise follows the background with the newest window: down quickly, for
// nothing is quieter than it, and up slowly.
func (h *history) learnNoise(speech bool) {
	w := h.back(0)
	rise := float32(noiseRiseSilence)
	if speech {
		rise = noiseRiseSpeech
	}
	for half := range 2 {
		var sum float32
		for _, v := range w.powers[half*slices/2 : (half+1)*slices/2] {
			sum += v
		}
		p := max(sum/(slices/2), quietest)
		if p < h.noise {
			h.noise = sqrt(h.noise * p) // half the distance in decibels
		} else {
			h.noise = min(h.noise*rise, p)
		}
	}
}

// learnVoice follows the speaker's level with the newest window, one of speech.
func (h *history) learnVoice() { h.voice = max(h.back(0).mean(), h.voice*voiceFall) }

// Ratios of power.
const (
	overNoise  = 6.3    // 8 dB: louder than this over the background is a sound
	underVoice = 0.001  // -30 dB: quieter than this under the voice is no speech
	noisy      = 31.6   // 15 dB from background to voice: the power tells little
	clean      = 1000.0 // 30 dB: it tells nearly everything
)

// limit is the power above which a slice holds sound that may be speech.
func (h *history) limit() float32 { return max(h.noise*overNoise, h.voice*underVoice) }

// clarity is 0 where background and voice are too close for power to tell them
// apart, 1 where they are far enough, and between in proportion.
func (h *history) clarity() float32 {
	ratio := h.voice / h.noise
	return min(max((ratio-noisy)/(clean-noisy), 0), 1)
}
