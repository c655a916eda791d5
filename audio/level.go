package audio

import "math"

// Silence is the level DBFS gives for no sound at all, in dB: below anything
// 16 bits can hold, and a number that JSON can write, which −Inf is not.
const Silence = -120.0

// RMS is the root mean square of mono samples as a share of full scale, 0..1;
// 0 for no samples. A full-scale square wave is 1, a full-scale sine 0.707.
func RMS(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum int64 // 2^30 at most per sample: 2^33 samples fit
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return math.Sqrt(float64(sum)/float64(len(pcm))) / 32768
}

// Peak is the largest magnitude among mono samples as a share of full scale, 0..1.
func Peak(pcm []int16) float64 {
	var peak int32
	for _, s := range pcm {
		peak = max(peak, int32(s), -int32(s))
	}
	return float64(peak) / 32768
}

// DBFS converts a share of full scale (see RMS and Peak) to decibels, 0 at full
// scale and never below Silence.
func DBFS(level float64) float64 {
	if !(level > 0) { // also NaN
		return Silence
	}
	return max(Silence, 20*math.Log10(level))
}
