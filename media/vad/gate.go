package vad

// gate spares the network while nobody speaks and nothing is to be heard. It
// keeps the last windows it held back, so that the network can hear how a sound
// began before it judges it.
type gate struct {
	closed bool
	quiet  int     // windows in a row that would have been held back
	level  float32 // mean power of what is not speech

	held [warmUp][Window]int16 // a ring
	n    int                   // windows held back since it closed
}

const (
	warmUp     = 4    // windows
	closeAfter = 16   // quiet windows: half a second
	gateFloor  = 1e-6 // -60 dBFS: below lies nothing worth judging
	gateOver   = 1.6  // 2 dB over a steady background
	gateSpeech = 0.15 // probability below which a window is surely no speech
	gateFollow = 1.0 / 16
)

// lets tells whether a window of the given power must be judged.
func (g *gate) lets(power float32) bool { return power > max(gateFloor, g.level*gateOver) }

// hold keeps a window that is not judged.
func (g *gate) hold(pcm *[Window]int16, power float32) {
	g.held[g.n%warmUp] = *pcm
	g.n++
	g.level += (power - g.level) * gateFollow
}

// judged takes the verdict on a window while nobody speaks and closes the gate
// after a while of quiet.
func (g *gate) judged(power, p float32) {
	if p >= gateSpeech {
		g.quiet = 0
		return
	}
	loud := g.lets(power)
	g.level += (power - g.level) * gateFollow
	if loud {
		g.quiet = 0
		return
	}
	if g.quiet++; g.quiet >= closeAfter {
		*g = gate{closed: true, level: g.level, held: g.held}
	}
}

// open lets everything through again and calls replay with the windows held
// back last, oldest first; back is how many windows before now each was.
func (g *gate) open(replay func(pcm []int16, back int)) {
	kept := min(g.n, warmUp)
	for back := kept; back > 0; back-- {
		replay(g.held[(g.n-back)%warmUp][:], back)
	}
	g.closed, g.quiet, g.n = false, 0, 0
}
