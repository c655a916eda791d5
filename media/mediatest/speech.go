package mediatest

import (
	"math"
	"math/rand/v2"
)

// Speech makes n samples of 16 kHz mono that Opus codes as speech, with in-band
// FEC where it swells: a buzz at 120 Hz with the overtones of a vowel.
func Speech(n int) []int16 {
	pcm, rng := make([]int16, n), rand.New(rand.NewPCG(1, 2))
	for i := range pcm {
		t, v := float64(i)/16000, 0.0
		for h := 1.0; h <= 12; h++ {
			v += math.Sin(2*math.Pi*120*h*t) * math.Exp(-math.Pow((120*h-600)/500, 2))
		}
		pcm[i] = int16(3000*v*(0.6+0.4*math.Sin(6*math.Pi*t)) + 60*rng.NormFloat64())
	}
	return pcm
}
