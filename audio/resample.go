package audio

import (
	"fmt"
	"math"
)

// The sample rates, in Hz, that parley takes in from files and engines.
const (
	MinRate = 2000
	MaxRate = 384000
)

const (
	// zeroCrossings is how many zeros of the sinc lie on each side of its
	// middle: with the window below it puts the stop band at the lower Nyquist
	// frequency and keeps 85 % of the band below flat.
	zeroCrossings = 32
	// kaiserBeta gives about 85 dB of stop band: Kaiser's β = 0.1102(A − 8.7).
	kaiserBeta = 8.4
	// rolloff puts the middle of the transition, as a share of the lower
	// Nyquist frequency: half of Kaiser's width (A − 8)/(2.285·2·zeroCrossings)
	// below 1.
	rolloff = 0.917
	// maxPhases bounds the table for rates that share few factors; between its
	// rows coefficients are interpolated, which costs −115 dB of noise.
	maxPhases = 1024
	// block is how many samples are taken in at a time, so that the buffer
	// keeps one size whatever Process is given.
	block = 2048
)

// Resampler converts a stream of mono PCM from one rate to another with a
// polyphase filter (a Kaiser-windowed sinc; Smith, "Digital Audio Resampling").
// It adds no delay to the signal: output sample n lies at input time n·from/to;
// it only needs zeroCrossings samples of the lower rate to look ahead, which
// Flush replaces by silence. A Resampler belongs to one goroutine.
type Resampler struct {
	up, down int // output:input, in lowest terms
	taps     int
	rows     int       // rows of the table; up, or maxPhases when interpolating
	table    []float32 // (rows+1) × taps; row r is the filter at fraction r/rows
	mix      []float32 // one interpolated row; nil where the table is exact

	buf     []float32 // input; buf[at] is the first sample under the filter
	at      int
	phase   int   // 0..up−1: the fraction of the input sample, in 1/up
	in, out int64 // samples taken and given since the stream began
}

// NewResampler returns a Resampler from one rate to another, both in Hz within
// MinRate..MaxRate. Equal rates give a copier.
func NewResampler(from, to int) (*Resampler, error) {
	for _, rate := range []int{from, to} {
		if rate < MinRate || rate > MaxRate {
			return nil, fmt.Errorf("audio: resample: %d Hz is outside %d..%d Hz", rate, MinRate, MaxRate)
		}
	}
	g := gcd(from, to)
	r := &Resampler{up: to / g, down: from / g}
	if from == to {
		return r, nil
	}
	cutoff := min(1, float64(to)/float64(from)) * rolloff
	half := int(math.Ceil(zeroCrossings * max(1, float64(from)/float64(to))))
	r.taps, r.rows = 2*half, min(r.up, maxPhases)
	if r.rows < r.up {
		r.mix = make([]float32, r.taps)
	}
	r.table = make([]float32, (r.rows+1)*r.taps)
	for row := range r.rows + 1 {
		fillRow(r.table[row*r.taps:(row+1)*r.taps], float64(row)/float64(r.rows), cutoff)
	}
	r.buf = make([]float32, 0, 2*r.taps+block)
	r.reset()
	return r, nil
}

// Process appends to dst what src, the next samples of the stream, makes
// certain, and returns it, as append does. src is not kept. It allocates only
// when dst is too small.
func (r *Resampler) Process(dst, src []int16) []int16 {
	r.in += int64(len(src))
	if r.taps == 0 {
		r.out += int64(len(src))
		return append(dst, src...)
	}
	for len(src) > 0 {
		n := min(len(src), block)
		for _, s := range src[:n] {
			r.buf = append(r.buf, float32(s))
		}
		src = src[n:]
		dst = r.drain(dst, math.MaxInt64)
	}
	return dst
}

// Flush appends the end of the stream to dst and makes the Resampler ready for
// a new one. Process and Flush together give exactly ⌈n·to/from⌉ samples for n.
func (r *Resampler) Flush(dst []int16) []int16 {
	if r.taps > 0 {
		total := (r.in*int64(r.up) + int64(r.down) - 1) / int64(r.down)
		for range r.taps {
			r.buf = append(r.buf, 0)
		}
		dst = r.drain(dst, total)
	}
	r.reset()
	return dst
}

func (r *Resampler) reset() {
	r.in, r.out, r.at, r.phase = 0, 0, 0, 0
	r.buf = r.buf[:0]
	for range r.taps/2 - 1 { // the silence before the first sample
		r.buf = append(r.buf, 0)
	}
}

// drain appends the output the buffer is long enough for, up to total samples
// of the stream, then moves what is still needed to the buffer's front.
func (r *Resampler) drain(dst []int16, total int64) []int16 {
	for r.at+r.taps <= len(r.buf) && r.out < total {
		dst = append(dst, clampSample(dot(r.row(), r.buf[r.at:r.at+r.taps])))
		r.out++
		r.phase += r.down
		r.at += r.phase / r.up
		r.phase %= r.up
	}
	used := min(r.at, len(r.buf))
	r.buf = r.buf[:copy(r.buf, r.buf[used:])]
	r.at -= used
	return dst
}

// row returns the filter for the present phase.
func (r *Resampler) row() []float32 {
	if r.mix == nil {
		return r.table[r.phase*r.taps : (r.phase+1)*r.taps]
	}
	place := float64(r.phase) * float64(r.rows) / float64(r.up)
	row := int(place)
	share := float32(place - float64(row))
	a := r.table[row*r.taps : (row+1)*r.taps]
	b := r.table[(row+1)*r.taps : (row+2)*r.taps]
	for i := range r.mix {
		r.mix[i] = a[i] + share*(b[i]-a[i])
	}
	return r.mix
}

// fillRow writes the filter for an output that lies the given fraction of a
// sample after the input under tap len/2−1. Its sum is 1, so that no row is
// louder than another.
func fillRow(row []float32, fraction, cutoff float64) {
	half := float64(len(row) / 2)
	sum := 0.0
	coefficient := func(i int) float64 {
		x := float64(i) - half + 1 - fraction
		return sinc(cutoff*x) * kaiser(x/half)
	}
	for i := range row {
		sum += coefficient(i)
	}
	for i := range row {
		row[i] = float32(coefficient(i) / sum)
	}
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window at x in −1..1.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel0(kaiserBeta*math.Sqrt(1-x*x)) / bessel0(kaiserBeta)
}

// bessel0 is the modified Bessel function of the first kind and order 0, by its
// power series (Abramowitz & Stegun 9.6.12).
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// dot is the inner product, in four sums so that the processor can overlap them.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func clampSample(x float32) int16 {
	return int16(max(-32768, min(32767, math.Round(float64(x)))))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Resample converts a whole recording; see Resampler. Equal rates give a copy.
func Resample(pcm []int16, from, to int) ([]int16, error) {
	r, err := NewResampler(from, to)
	if err != nil {
		return nil, err
	}
	out := make([]int16, 0, len(pcm)*r.up/r.down+1)
	return r.Flush(r.Process(out, pcm)), nil
}
