package vad

// How the last voiced sample is found. The network hears the end of speech
// late: after an abrupt end its probability stays high for up to 144 ms in
// quiet (two to five windows), longer in noise. So power finds the sample and
// the network vouches for it. Figures are from recorded clips cut at many
// points, plain and through Opus.
const (
	lagClean = 160 * samplesPerMS // the network's longest lag, in quiet
	lagNoisy = 64 * samplesPerMS  // what to take off in noise, where only it can tell
	vouch    = 3                  // windows after speech for which a quiet ending, such as s or f, still counts

	// The codec's smear: Opus delivers the last 6.5 ms of a frame in the next
	// one, rings on at 15 to 30 dB below the voice until 26 ms after the stop, and
	// is 50 dB down at 36 ms: no mouth and no room fades so fast.
	smearSlices = 14   // from the voice's last slice to the ringing's, at most
	smearBelow  = 0.08 // -11 dB of the peak before: the ringing mostly lies lower
	knifeBelow  = 1e-6 // -60 dB of the peak: so deep the ringing never falls in one slice
	peakSlices  = 24   // before the last sound, in which that peak lies
	restAfter   = 18   // slices after the voice, by when a sudden stop is over
	restBelow   = 1e-5 // -50 dB of the peak
	restNoise   = 4    // 6 dB over the background counts as over too

	samplesPerMS = 16
)

// lastVoiced returns the position just after the last voiced sample among the
// windows remembered; ok is false where none is voiced.
func (h *history) lastVoiced(on, off float32) (at int64, ok bool) {
	lag := lagNoisy + int64(h.clarity()*float32(lagClean-lagNoisy))
	for n := 0; h.back(n) != nil; n++ {
		if w := h.back(n); w.p >= on {
			at, ok = w.end-lag, true
			break
		}
	}
	if n := h.lastSound(off); n >= 0 {
		n = h.beforeSmear(n)
		at, ok = max(at, h.back(0).end-int64(n*slice)), true
	}
	return at, ok
}

// lastSound returns the newest slice, counted backwards, that is loud enough
// and lies in or shortly after a window of speech; -1 where there is none.
func (h *history) lastSound(off float32) int {
	limit := h.limit()
	for n := 0; h.back(n) != nil; n++ {
		if h.back(n).above(limit) == 0 || !h.vouched(n, off) {
			continue
		}
		for i := range slices {
			if h.power(n*slices+i) > limit {
				return n*slices + i
			}
		}
	}
	return -1
}

// vouched tells whether the network heard speech in the window n back or in one
// of the few before it.
func (h *history) vouched(n int, off float32) bool {
	for i := n; i <= n+vouch; i++ {
		if w := h.back(i); w != nil && w.p >= off {
			return true
		}
	}
	return false
}

// beforeSmear moves a last sound, counted in slices backwards, to the end of
// the voice where a codec has drawn out a sudden stop. A decay slower than that
// stays as it is.
func (h *history) beforeSmear(last int) int {
	var peak float32
	for i := last; i < last+peakSlices; i++ {
		peak = max(peak, h.power(i))
	}
	if last > 0 && h.power(last-1) < peak*knifeBelow {
		return last // cut off as with a knife: no codec was at work
	}
	voice := last
	for h.power(voice) < peak*smearBelow {
		voice++
	}
	if voice < restAfter || voice > last+smearSlices {
		return last // too early to tell, or no sudden stop
	}
	rest := (h.power(voice-restAfter) + h.power(voice-restAfter+1)) / 2
	if rest > max(peak*restBelow, h.noise*restNoise) {
		return last
	}
	return voice
}

// firstVoiced returns the position of the first voiced sample of speech that
// the network noticed in the window n back: it follows the sound backwards, by
// at most three windows, over gaps no longer than a stop consonant.
func (h *history) firstVoiced(n int) int64 {
	const reach, gap = 3 * slices, 12
	w := h.back(n)
	limit := h.limit()
	newest := (n + 1) * slices // one past the oldest slice of the window, counted backwards
	first, quiet := newest, 0
	for i := n * slices; i < newest; i++ { // the window's own first sound
		if h.power(i) > limit {
			first = i + 1
		}
	}
	for i := first; i < newest+reach && quiet < gap; i++ {
		if quiet++; h.power(i) > limit {
			first, quiet = i+1, 0
		}
	}
	return w.end + int64((n*slices-first)*slice)
}
