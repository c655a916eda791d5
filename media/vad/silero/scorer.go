package silero

import (
	"math"

	"parley/media/vad"
)

// Scorer is one call's state of the network: 1.3 KB.
type Scorer struct {
	model   *Model
	context [context]float32
	hidden  [cells]float32
	cell    [cells]float32
}

var _ vad.Scorer = (*Scorer)(nil)

// NewScorer returns a scorer that has heard nothing.
func (m *Model) NewScorer() *Scorer { return &Scorer{model: m} }

// Reset forgets everything heard.
func (s *Scorer) Reset() { *s = Scorer{model: s.model} }

// scratch is what one window needs while it is judged; the scorers of a model
// take turns with it.
type scratch struct {
	samples [context + vad.Window + padding]float32
	bins    [frames][bins]float32
	mid0    [4][conv0Out]float32
	mid1    [2][conv1Out]float32
	mid2    [1][conv2Out]float32
	inputs  [2 * cells]float32 // of the LSTM: the encoder's output, then the hidden state
	gates   [gates]float32
	live    inputList
}

// Score returns the probability, 0..1, that a window of vad.Window samples of
// 16 kHz mono holds speech. It panics on another length.
func (s *Scorer) Score(window []int16) float32 {
	if len(window) != vad.Window {
		panic("silero: a window must have vad.Window samples")
	}
	m := s.model
	w := m.scratch.Get().(*scratch)
	defer m.scratch.Put(w)
	s.fill(w, window)
	for i := range w.bins {
		m.transform.magnitudes((*[fftSize]float32)(w.samples[i*hop:]), &w.bins[i])
	}
	for p := range w.mid0 {
		m.convolve(0, w, p-1, w.mid0[p][:])
	}
	for p := range w.mid1 {
		m.convolve(1, w, 2*p-1, w.mid1[p][:])
	}
	m.convolve(2, w, -1, w.mid2[0][:])
	m.convolve(3, w, -1, w.inputs[:conv3Out])
	return s.decode(w)
}

// fill lays out context, window and the mirrored right edge, and keeps the
// context for the next window.
func (s *Scorer) fill(w *scratch, window []int16) {
	copy(w.samples[:], s.context[:])
	fresh := w.samples[context : context+vad.Window]
	for i, v := range window {
		fresh[i] = float32(v) * (1.0 / 32768)
	}
	const last = context + vad.Window - 1
	for i := range padding {
		w.samples[last+1+i] = w.samples[last-1-i]
	}
	copy(s.context[:], fresh[vad.Window-context:])
}

// source returns the input of convolution n at position p, or nil outside it,
// where it is zero.
func (w *scratch) source(n, p int) []float32 {
	switch {
	case p < 0:
		return nil
	case n == 0 && p < len(w.bins):
		return w.bins[p][:]
	case n == 1 && p < len(w.mid0):
		return w.mid0[p][:]
	case n == 2 && p < len(w.mid1):
		return w.mid1[p][:]
	case n == 3 && p < len(w.mid2):
		return w.mid2[p][:]
	}
	return nil
}

// convolve writes one position of convolution n, after ReLU, to out. Its taps
// begin at position first of the input.
func (m *Model) convolve(n int, w *scratch, first int, out []float32) {
	l := &m.conv[n]
	w.live.n = 0
	inputs := len(l.columns) / l.width / taps
	for k := range taps {
		w.live.add(w.source(n, first+k), k*inputs)
	}
	l.apply(&w.live, out)
	for i, v := range out {
		out[i] = max(v, 0)
	}
}

// decode runs the LSTM cell and the weighted sum.
func (s *Scorer) decode(w *scratch) float32 {
	m := s.model
	copy(w.inputs[conv3Out:], s.hidden[:])
	w.live.n = 0
	w.live.add(w.inputs[:], 0)
	m.lstm.apply(&w.live, w.gates[:])
	total := m.outBias
	for i := range cells {
		in, forget := sigmoid(w.gates[i]), sigmoid(w.gates[cells+i])
		fresh, open := tanh(w.gates[2*cells+i]), sigmoid(w.gates[3*cells+i])
		s.cell[i] = forget*s.cell[i] + in*fresh
		s.hidden[i] = open * tanh(s.cell[i])
		total += max(s.hidden[i], 0) * m.output[i]
	}
	return sigmoid(total)
}

// sigmoid is 1/(1+e^-x).
func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(float64(-x)))) }

// tanh by way of the sigmoid, which costs one exponential.
func tanh(x float32) float32 { return float32(2/(1+math.Exp(float64(-2*x))) - 1) }
