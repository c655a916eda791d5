package silero

import (
	"fmt"
	"math"
	"math/bits"
)

const (
	fftSize     = 256 // samples per frame of the spectrum
	half        = fftSize / 2
	basisLimit  = 1e-5 // largest difference between the file's basis and the formula
	stagesOfFFT = 7    // log2(half)
)

// fft computes the magnitudes of a windowed real frame. The network's basis is
// such a transform written out as a matrix (Hann window, periodic; rows of
// cosines, then of negative sines), which verify proves at load.
type fft struct {
	window  [fftSize]float32
	reverse [half]uint8       // bit-reversed order of the complex samples
	cos     [half / 2]float32 // twiddles of the complex transform of half points
	sin     [half / 2]float32
	splitC  [half]float32 // twiddles that part the even from the odd samples
	splitS  [half]float32
}

func newFFT() *fft {
	f := new(fft)
	for i := range f.window {
		f.window[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/fftSize))
	}
	for i := range half {
		f.reverse[i] = bits.Reverse8(uint8(i)) >> (8 - stagesOfFFT)
		s, c := math.Sincos(2 * math.Pi * float64(i) / fftSize)
		f.splitC[i], f.splitS[i] = float32(c), float32(s)
	}
	for i := range f.cos {
		s, c := math.Sincos(2 * math.Pi * float64(i) / half)
		f.cos[i], f.sin[i] = float32(c), float32(s)
	}
	return f
}

// verify holds a basis of shape [2·bins][fftSize] against the formula.
func (f *fft) verify(basis []float32) error {
	for bin := range bins {
		for i := range fftSize {
			s, c := math.Sincos(2 * math.Pi * float64(bin*i%fftSize) / fftSize)
			w := float64(f.window[i])
			re, im := float64(basis[bin*fftSize+i]), float64(basis[(bins+bin)*fftSize+i])
			if !near(re, w*c) || !near(im, -w*s) {
				return fmt.Errorf("the spectrum's basis is not a Hann-windowed Fourier transform (bin %d, sample %d)", bin, i)
			}
		}
	}
	return nil
}

// near is false for NaN as well.
func near(a, b float64) bool { return math.Abs(a-b) <= basisLimit }

// magnitudes writes the magnitudes of the windowed spectrum of x to out: a
// complex transform of the even and odd samples (radix 2, in time), then the
// split into the transform of the real signal.
func (f *fft) magnitudes(x *[fftSize]float32, out *[bins]float32) {
	var re, im [half]float32
	for i := range re {
		j := 2 * int(f.reverse[i]&(half-1))
		re[i] = x[j] * f.window[j]
		im[i] = x[j+1] * f.window[j+1]
	}
	f.butterflies(&re, &im)
	out[0] = abs(re[0] + im[0])
	out[half] = abs(re[0] - im[0])
	for k := 1; k <= half/2; k++ {
		m := half - k
		// E: spectrum of the even samples, O: of the odd ones.
		er, ei := (re[k]+re[m])*0.5, (im[k]-im[m])*0.5
		or, oi := (im[k]+im[m])*0.5, (re[m]-re[k])*0.5
		c, s := f.splitC[k], f.splitS[k]
		tr, ti := or*c+oi*s, oi*c-or*s // O turned by e^(-2πik/fftSize)
		out[k] = magnitude(er+tr, ei+ti)
		out[m] = magnitude(er-tr, ti-ei)
	}
}

// butterflies runs the complex transform in place on bit-reversed input.
func (f *fft) butterflies(re, im *[half]float32) {
	for i := 0; i < half-1; i += 2 {
		re[i], re[i+1] = re[i]+re[i+1], re[i]-re[i+1]
		im[i], im[i+1] = im[i]+im[i+1], im[i]-im[i+1]
	}
	for size := 2; size < half; size *= 2 {
		step := half / 2 / size
		for start := 0; start < half; start += 2 * size {
			ar, ai := re[start:start+size], im[start:start+size]
			br, bi := re[start+size:start+2*size], im[start+size:start+2*size]
			br, bi, ai = br[:len(ar)], bi[:len(ar)], ai[:len(ar)]
			for k := range ar {
				t := k * step & (half/2 - 1)
				c, s := f.cos[t], f.sin[t]
				xr, xi := br[k]*c+bi[k]*s, bi[k]*c-br[k]*s
				ar[k], br[k] = ar[k]+xr, ar[k]-xr
				ai[k], bi[k] = ai[k]+xi, ai[k]-xi
			}
		}
	}
}

func magnitude(re, im float32) float32 { return float32(math.Sqrt(float64(re*re + im*im))) }

func abs(v float32) float32 { return float32(math.Abs(float64(v))) }
