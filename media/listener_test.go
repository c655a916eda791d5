package media

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pion/rtp"
	libopus "gopkg.in/hraban/opus.v2"

	"parley/audio"
	"parley/media/opus"
)

// fataler is a testing.TB or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func speech(n int) []int16 {
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

// sender makes the packets of a caller.
type sender struct {
	packets []*rtp.Packet // one per dur, nil where the sender was silent (DTX)
	dur     time.Duration
}

// newSender encodes pcm in packets of dur, with in-band FEC. With dtx it does
// as browsers do: of a run of DTX packets only the first is sent.
func newSender(t fataler, pcm []int16, dur time.Duration, dtx bool) sender {
	t.Helper()
	enc, err := libopus.NewEncoder(16000, 1, libopus.AppVoIP)
	if err != nil {
		t.Fatal(err)
	}
	if err := firstError(enc.SetBitrate(opus.Bitrate), enc.SetInBandFEC(true), enc.SetPacketLossPerc(10), enc.SetDTX(dtx)); err != nil {
		t.Fatal(err)
	}
	s, step := sender{dur: dur}, int(dur*16/ms)
	buf, seq, quiet := make([]byte, 1500), uint16(65500), false
	for at := 0; at+step <= len(pcm); at += step {
		n, err := enc.Encode(pcm[at:at+step], buf)
		if err != nil {
			t.Fatal(err)
		}
		was := quiet
		if quiet = n <= 2; quiet && was {
			s.packets = append(s.packets, nil)
			continue
		}
		s.packets = append(s.packets, &rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: seq, Timestamp: uint32(1<<32 - 5000 + at*3)},
			Payload: slices.Clone(buf[:n]),
		})
		seq++
	}
	return s
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// listener keeps the frames a Receiver puts out and checks that each begins
// where the last one ended.
type listener struct {
	t      fataler
	r      *Receiver
	frames []audio.Frame
	seen   []time.Duration // when each frame came
	now    time.Duration
}

func listen(t fataler) *listener {
	t.Helper()
	l := &listener{t: t}
	r, err := NewReceiver(func(f audio.Frame) {
		if want := l.end(); f.Start != want {
			t.Fatalf("frame starts at %v, the last ended at %v", f.Start, want)
		}
		if f.Rate != 16000 || len(f.PCM) == 0 || len(f.PCM) > 320 || f.Arrived.IsZero() {
			t.Fatalf("frame of %d samples at %d Hz, arrived %v", len(f.PCM), f.Rate, f.Arrived)
		}
		l.frames, l.seen = append(l.frames, f.Clone()), append(l.seen, l.now)
	})
	if err != nil {
		t.Fatal(err)
	}
	l.r = r
	return l
}

func (l *listener) end() time.Duration {
	if len(l.frames) == 0 {
		return 0
	}
	return l.frames[len(l.frames)-1].End()
}

// until runs the Receiver's timer up to now.
func (l *listener) until(now time.Duration) {
	l.t.Helper()
	for d := l.r.Deadline(); !d.IsZero() && !d.After(epoch.Add(now)); d = l.r.Deadline() {
		l.now = d.Sub(epoch)
		l.r.Tick(d)
		if l.r.Deadline().Equal(d) {
			l.t.Fatal("Tick at the deadline did not move it")
		}
	}
	l.now = now
}

func (l *listener) push(p *rtp.Packet, now time.Duration) {
	l.t.Helper()
	l.until(now)
	if p != nil {
		l.r.Push(p, epoch.Add(now))
	}
}

// origins spells the frames' origins: r, f (FEC), c and - (comfort).
func (l *listener) origins() string {
	var s []byte
	for _, f := range l.frames {
		s = append(s, "rfc-"[f.Origin])
	}
	return string(s)
}

func repeat(c byte, n int) string { return string(slices.Repeat([]byte{c}, n)) }
