package perclause

// trimmer takes the silence off both ends of a clause as it streams through.
// Silence after a sound passes at once up to pause; what exceeds it is held
// until a sound follows, so that a pause within the clause keeps its length.
type trimmer struct {
	threshold int16 // 0 lets everything pass
	keep      int   // samples before the first sound that stay
	pause     int   // samples after the last sound that stay
	most      int   // samples that may be held, so that a pause is at most pause+most
	out       func(pcm []int16) error

	started bool
	quiet   int     // samples since the last sound
	held    []int16 // silence that may be the end
	removed int     // samples dropped so far
}

func (t *trimmer) feed(pcm []int16) error {
	if t.threshold <= 0 {
		return t.out(pcm)
	}
	if !t.started {
		return t.begin(pcm)
	}
	for len(pcm) > 0 {
		n := min(len(pcm), max(1, t.keep))
		if err := t.block(pcm[:n]); err != nil {
			return err
		}
		pcm = pcm[n:]
	}
	return nil
}

// block takes in a few milliseconds: silence, sound from its first loud sample
// to its last, and silence again; any of the three may be missing.
func (t *trimmer) block(pcm []int16) error {
	first := firstLoud(pcm, t.threshold)
	if first < 0 {
		return t.silence(pcm)
	}
	last := lastLoud(pcm, t.threshold)
	if err := t.silence(pcm[:first]); err != nil {
		return err
	}
	if err := t.release(len(t.held)); err != nil {
		return err
	}
	t.quiet = 0
	if err := t.out(pcm[first : last+1]); err != nil {
		return err
	}
	return t.silence(pcm[last+1:])
}

// silence lets pass what a pause may have and holds the rest.
func (t *trimmer) silence(pcm []int16) error {
	pass := min(len(pcm), max(0, t.pause-t.quiet))
	t.quiet += len(pcm)
	if err := t.out(pcm[:pass]); err != nil {
		return err
	}
	rest := pcm[pass:]
	if room := t.most - len(t.held); len(rest) > room {
		t.removed += len(rest) - room
		rest = rest[:room]
	}
	t.held = append(t.held, rest...)
	return nil
}

// begin looks for the first sound.
func (t *trimmer) begin(pcm []int16) error {
	first := firstLoud(pcm, t.threshold)
	if first < 0 {
		t.held = append(t.held, pcm...)
		if drop := len(t.held) - t.keep; drop > 0 {
			t.held = t.held[:copy(t.held, t.held[drop:])]
			t.removed += drop
		}
		return nil
	}
	t.started = true
	t.held = append(t.held, pcm[:first]...)
	drop := max(0, len(t.held)-t.keep)
	t.removed += drop
	t.held = t.held[:copy(t.held, t.held[drop:])]
	if err := t.release(len(t.held)); err != nil {
		return err
	}
	return t.feed(pcm[first:])
}

// release lets n samples of what is held pass, or all where that is less.
func (t *trimmer) release(n int) error {
	n = max(0, min(n, len(t.held)))
	if n == 0 {
		return nil
	}
	err := t.out(t.held[:n])
	t.held = t.held[:copy(t.held, t.held[n:])]
	return err
}

func firstLoud(pcm []int16, threshold int16) int {
	for i, s := range pcm {
		if s >= threshold || s <= -threshold {
			return i
		}
	}
	return -1
}

func lastLoud(pcm []int16, threshold int16) int {
	for i := len(pcm) - 1; i >= 0; i-- {
		if s := pcm[i]; s >= threshold || s <= -threshold {
			return i
		}
	}
	return -1
}
