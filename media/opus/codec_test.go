package opus

import (
	"math"
	"math/rand/v2"
	"testing"

	libopus "gopkg.in/hraban/opus.v2"
)

// voiced makes n samples that SILK takes for speech: a buzz at 120 Hz with
// formant-like overtones and a slow swell.
func voiced(rate, n int) []int16 {
	pcm := make([]int16, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range pcm {
		t := float64(i) / float64(rate)
		v := 0.0
		for h := 1; h <= 12; h++ {
			f := 120 * float64(h)
			v += math.Sin(2*math.Pi*f*t) * math.Exp(-math.Pow((f-600)/500, 2))
		}
		swell := 0.6 + 0.4*math.Sin(2*math.Pi*3*t)
		pcm[i] = int16(3000*v*swell + 60*rng.NormFloat64())
	}
	return pcm
}

func encodeSpeech(tb testing.TB, rate, frames int) [][]byte {
	tb.Helper()
	enc, err := NewEncoder(rate)
	if err != nil {
		tb.Fatal(err)
	}
	if err := enc.ExpectLoss(10); err != nil {
		tb.Fatal(err)
	}
	pcm := voiced(rate, frames*enc.FrameSamples())
	packets := make([][]byte, frames)
	for i := range packets {
		buf := make([]byte, MaxPacketBytes)
		n, err := enc.Encode(pcm[i*enc.FrameSamples():(i+1)*enc.FrameSamples()], buf)
		if err != nil {
			tb.Fatal(err)
		}
		packets[i] = buf[:n]
	}
	return packets
}

func power(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum / float64(len(pcm))
}

// snr is the ratio in dB of want's power to that of its difference from got.
func snr(want, got []int16) float64 {
	diff := make([]int16, len(want))
	for i := range want {
		diff[i] = want[i] - got[i]
	}
	return 10 * math.Log10(power(want)/max(power(diff), 1e-9))
}

func TestEveryRateRoundTripsTo16k(t *testing.T) {
	for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
		dec, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, MaxSamples)
		var last []int16
		for _, packet := range encodeSpeech(t, rate, 25) {
			p, err := Parse(packet)
			if err != nil || p.Frames != 1 || p.Stereo {
				t.Fatalf("%d Hz: packet %+v, %v", rate, p, err)
			}
			n, err := dec.Decode(packet, pcm)
			if err != nil || n != 320 {
				t.Fatalf("%d Hz: decoded %d samples, %v", rate, n, err)
			}
			last = pcm[:n]
		}
		if p := power(last); p < 1e5 {
			t.Errorf("%d Hz: decoded power %.0f, want speech", rate, p)
		}
	}
}

func TestFECRebuildsALostFrame(t *testing.T) {
	packets := encodeSpeech(t, 16000, 50)
	const lost = 40
	p, err := Parse(packets[lost+1])
	if err != nil || !p.FEC {
		t.Fatalf("the packet after the lost one: %+v, %v; want FEC", p, err)
	}
	// decode returns the lost frame as decoded, rebuilt by recover, or nil.
	decode := func(recover func(d *Decoder, pcm []int16) error) []int16 {
		d, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, MaxSamples)
		for i, packet := range packets[:lost+1] {
			if i == lost && recover != nil {
				if err := recover(d, pcm[:320]); err != nil {
					t.Fatal(err)
				}
			} else if _, err := d.Decode(packet, pcm); err != nil {
				t.Fatal(err)
			}
		}
		return append([]int16(nil), pcm[:320]...)
	}
	truth := decode(nil)
	fec := snr(truth, decode(func(d *Decoder, pcm []int16) error { return d.DecodeFEC(packets[lost+1], pcm) }))
	plc := snr(truth, decode(func(d *Decoder, pcm []int16) error { return d.Conceal(pcm) }))
	if fec < 6 || fec < plc {
		t.Errorf("SNR of the rebuilt frame: FEC %.1f dB, concealment %.1f dB", fec, plc)
	}
}

func TestConcealmentFades(t *testing.T) {
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, MaxSamples)
	for _, packet := range encodeSpeech(t, 16000, 20) {
		if _, err := d.Decode(packet, pcm); err != nil {
			t.Fatal(err)
		}
	}
	first, last := 0.0, 0.0
	for i := range 25 {
		if err := d.Conceal(pcm[:320]); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = power(pcm[:320])
		}
		last = power(pcm[:320])
	}
	if first < 1e4 || last > first/10 {
		t.Errorf("concealed power %.0f, after half a second %.0f", first, last)
	}
}

func TestParseKnowsDTXOfARealEncoder(t *testing.T) {
	enc, err := libopus.NewEncoder(16000, 1, libopus.AppVoIP)
	if err != nil {
		t.Fatal(err)
	}
	if err := enc.SetDTX(true); err != nil {
		t.Fatal(err)
	}
	silence, buf, dtx := make([]int16, 320), make([]byte, MaxPacketBytes), 0
	for range 50 {
		n, err := enc.Encode(silence, buf)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		if p.DTX {
			dtx++
		}
	}
	if dtx < 20 {
		t.Errorf("%d of 50 silent packets are DTX", dtx)
	}
}

func TestLookaheadIsLibopuss(t *testing.T) {
	// An impulse goes in at a frame's start; where it comes out is the delay.
	enc, err := NewEncoder(16000)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	buf, pcm := make([]byte, MaxPacketBytes), make([]int16, MaxSamples)
	for i := range 12 {
		in := make([]int16, 320)
		if i == 10 {
			in[0], in[1], in[2] = 20000, 30000, 20000
		}
		n, err := enc.Encode(in, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n, err = dec.Decode(buf[:n], pcm); err != nil {
			t.Fatal(err)
		}
		out = append(out, pcm[:n]...)
	}
	peak := 0
	for i, s := range out {
		if abs(s) > abs(out[peak]) {
			peak = i
		}
	}
	want := int(Lookahead * DecodeRate / 1e9)
	if delay := peak - 10*320 - 1; delay < want-16 || delay > want+32 {
		t.Errorf("delay = %d samples, want about %d", delay, want)
	}
}

func abs(s int16) int { return max(int(s), -int(s)) }

func TestBadArguments(t *testing.T) {
	if _, err := NewEncoder(22050); err == nil {
		t.Error("22050 Hz was taken")
	}
	enc, err := NewEncoder(24000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enc.Encode(make([]int16, 320), make([]byte, 100)); err == nil {
		t.Error("a short frame was taken")
	}
	if _, err := enc.Encode(make([]int16, 480), make([]byte, MaxPacketBytes)); err != nil {
		t.Error(err)
	}
	if err := enc.Reset(); err != nil {
		t.Error(err)
	}
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dec.Decode(nil, make([]int16, MaxSamples)); err == nil {
		t.Error("an empty packet was decoded")
	}
	if err := dec.Conceal(make([]int16, 321)); err == nil {
		t.Error("321 samples were concealed")
	}
	if got := Timestamp(20 * ms); got != 960 {
		t.Errorf("20 ms = %d ticks", got)
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	packets := encodeSpeech(t, 16000, 3)
	enc, _ := NewEncoder(16000)
	dec, _ := NewDecoder()
	in, pcm, buf := voiced(16000, 320), make([]int16, MaxSamples), make([]byte, MaxPacketBytes)
	if n := testing.AllocsPerRun(20, func() {
		_, _ = enc.Encode(in, buf)
		_, _ = dec.Decode(packets[0], pcm)
		_ = dec.DecodeFEC(packets[2], pcm[:320])
		_ = dec.Conceal(pcm[:320])
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func BenchmarkEncode24k(b *testing.B) {
	enc, err := NewEncoder(24000)
	if err != nil {
		b.Fatal(err)
	}
	pcm, buf := voiced(24000, 480*50), make([]byte, MaxPacketBytes)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i % 50 * 480
		if _, err := enc.Encode(pcm[at:at+480], buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	packets := encodeSpeech(b, 24000, 50)
	dec, err := NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	pcm := make([]int16, MaxSamples)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := dec.Decode(packets[i%50], pcm); err != nil {
			b.Fatal(err)
		}
	}
}
