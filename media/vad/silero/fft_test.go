package silero

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The fast transform equals the sum it stands for.
func TestMagnitudes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	f := newFFT()
	var x [fftSize]float32
	for i := range x {
		x[i] = rng.Float32()*2 - 1
	}
	var got [bins]float32
	f.magnitudes(&x, &got)
	for bin := range bins {
		var re, im float64
		for i, v := range x {
			s, c := math.Sincos(2 * math.Pi * float64(bin*i) / fftSize)
			w := float64(v) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/fftSize))
			re, im = re+w*c, im-w*s
		}
		if want := math.Hypot(re, im); math.Abs(float64(got[bin])-want) > 1e-4 {
			t.Errorf("bin %d: got %v, want %v", bin, got[bin], want)
		}
	}
}

// A layer applied by columns equals the plain sum, zeros among its inputs or not.
func TestLayerApply(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, inputs := range []int{0, 1, 7, 8, 9, 40} {
		l := layer{width: 5, bias: []float32{1, 2, 3, 4, 5}}
		values := make([]float32, inputs)
		for i := range values {
			values[i] = float32(rng.IntN(3)) // a third of them zero
			for range l.width {
				l.columns = append(l.columns, rng.Float32())
			}
		}
		if inputs == 0 {
			l.columns = make([]float32, l.width)
		}
		want := append([]float32(nil), l.bias...)
		for i, v := range values {
			for j := range want {
				want[j] += v * l.columns[i*l.width+j]
			}
		}
		var in inputList
		in.add(values, 0)
		got := make([]float32, l.width)
		l.apply(&in, got)
		for j := range want {
			if math.Abs(float64(got[j]-want[j])) > 1e-4 {
				t.Errorf("%d inputs: got %v, want %v", inputs, got, want)
				break
			}
		}
	}
}
