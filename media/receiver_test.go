package media

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"pgregory.net/rapid"

	"parley/audio"
)

const ms = time.Millisecond

var epoch = time.Unix(1000, 0)

func TestReceiverInOrderAddsNoDelay(t *testing.T) {
	s, l := newSender(t, speech(16000), 20*ms, false), listen(t)
	for i, p := range s.packets {
		l.push(p, time.Duration(i)*20*ms)
		if len(l.frames) != i+1 || !l.frames[i].Arrived.Equal(epoch.Add(l.now)) {
			t.Fatalf("%d frames after %d packets", len(l.frames), i+1)
		}
	}
	if got := l.origins(); got != repeat('r', 50) {
		t.Errorf("origins %s", got)
	}
	if d := l.r.Deadline(); !d.IsZero() {
		t.Errorf("a timer runs until %v", d)
	}
}

func TestReceiverFillsGaps(t *testing.T) {
	const total = 60
	for _, c := range []struct {
		name   string
		lost   func(i int) bool
		origin string // of the frames in place of the lost packets
		frames int
	}{
		{"one, rebuilt from FEC", func(i int) bool { return i == 40 }, "f", total},
		{"one, where the next has no FEC", func(i int) bool { return i == 27 }, "c", total},
		{"two: concealed, then rebuilt", func(i int) bool { return i == 40 || i == 41 }, "cf", total},
		{"a 300 ms blackout", func(i int) bool { return i >= 26 && i < 41 }, repeat('c', 14) + "f", total},
		{"alternate packets", func(i int) bool { return i == 36 || i == 38 || i == 40 }, "fff", total},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, l := newSender(t, speech(total*320), 20*ms, false), listen(t)
			for i, p := range s.packets {
				if !c.lost(i) {
					l.push(p, time.Duration(i)*20*ms)
				}
			}
			l.until(time.Minute)
			var got []byte
			for i, o := range []byte(l.origins()) {
				if c.lost(i) {
					got = append(got, o)
				} else if o != 'r' {
					t.Errorf("frame %d, whose packet came, is %c", i, o)
				}
			}
			if string(got) != c.origin || len(l.frames) != c.frames {
				t.Errorf("%d frames; lost ones are %s, want %s", len(l.frames), got, c.origin)
			}
		})
	}
}

func TestReceiverBlackoutYieldsNothingUntilPacketsReturn(t *testing.T) {
	s, l := newSender(t, speech(16000), 20*ms, false), listen(t)
	for i, p := range s.packets[:10] {
		l.push(p, time.Duration(i)*20*ms)
	}
	l.until(10 * time.Second)
	if len(l.frames) != 10 {
		t.Fatalf("%d frames from 10 packets and a blackout", len(l.frames))
	}
	// The rest comes 9.8 s later than it should, after 700 ms worth was lost.
	for i, p := range s.packets[45:] {
		l.push(p, 10*time.Second+time.Duration(i)*20*ms)
	}
	if got := l.origins(); got != repeat('r', 10)+repeat('c', 35)+repeat('r', 5) &&
		got != repeat('r', 10)+repeat('c', 34)+"f"+repeat('r', 5) {
		t.Errorf("origins %s", got)
	}
	if power(l.frames[11].PCM) == 0 || power(l.frames[40].PCM) != 0 {
		t.Error("want concealment at first, then zeros")
	}
}

func power(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum / float64(len(pcm))
}

func TestReceiverBoundsWhatItFills(t *testing.T) {
	s, l := newSender(t, speech(16000), 20*ms, false), listen(t)
	l.push(s.packets[0], 0)
	p := *s.packets[1]
	p.SequenceNumber += 500 // ten seconds lost
	p.Timestamp += 500 * 960
	l.push(&p, 10*time.Second)
	l.until(11 * time.Second)
	if got := l.end(); got != 40*ms+fillLimit {
		t.Errorf("the time line is at %v", got)
	}
	if got := l.r.Stats().Cut; got != 8*time.Second {
		t.Errorf("cut %v", got)
	}
}

// Few packets with far-off timestamps must not make many frames: each of these
// stands for two seconds, and 200 come in one.
func TestReceiverFillsNoFasterThanTimePasses(t *testing.T) {
	for _, lost := range []uint16{0, 100} { // claimed by the sequence numbers, too
		s, l := newSender(t, speech(16000), 20*ms, false), listen(t)
		const packets = 400
		for i := range packets {
			p := *s.packets[i%len(s.packets)]
			p.SequenceNumber, p.Timestamp = uint16(i)*(lost+1), uint32(i)*2*48000
			l.push(&p, time.Duration(i)*5*ms)
		}
		l.until(time.Minute)
		filled := l.end() - packets*20*ms
		if limit := fillLimit + packets*5*ms + 500*ms; filled > limit || filled < fillLimit {
			t.Errorf("%d lost each: %v filled in 2 s, want at most %v", lost, filled, limit)
		}
		if s := l.r.Stats(); s.Cut == 0 {
			t.Errorf("%d lost each: nothing was cut", lost)
		}
	}
}

func TestReceiverSurvivesStrangeTimestamps(t *testing.T) {
	for _, step := range []int64{-1 << 30, -960, 0, 1, 959, 961, 1 << 30} {
		s, l := newSender(t, speech(16000), 20*ms, false), listen(t)
		for i, p := range s.packets {
			if i >= 25 {
				p.Timestamp += uint32(step)
			}
			l.push(p, time.Duration(i)*20*ms)
		}
		if got := l.r.Stats(); l.end() < 1000*ms || l.end() > 1000*ms+fillLimit || got.Window.Delivered != 50 {
			t.Errorf("step %d: %v of audio, %+v", step, l.end(), got)
		}
	}
}

func TestReceiverTreatsGarbageAsLost(t *testing.T) {
	s, l := newSender(t, speech(60*320), 20*ms, false), listen(t)
	s.packets[40].Payload = []byte{3, 0, 0, 0} // no frames: forbidden
	s.packets[50].Payload = nil
	s.packets[50].Timestamp = s.packets[51].Timestamp // padding takes no time
	for i := 51; i < 60; i++ {
		s.packets[i].Timestamp -= 960
	}
	for i, p := range s.packets {
		l.push(p, time.Duration(i)*20*ms)
	}
	if got := l.origins(); got != repeat('r', 40)+"f"+repeat('r', 18) || l.r.Stats().Malformed != 1 {
		t.Errorf("origins %s, %+v", got, l.r.Stats())
	}
}

func TestReceiverCutsLongPacketsIntoFrames(t *testing.T) {
	for _, dur := range []time.Duration{10 * ms, 40 * ms, 60 * ms} {
		s, l := newSender(t, speech(19200), dur, false), listen(t)
		lost := int(480 * ms / dur)
		for i, p := range s.packets {
			if i != lost {
				l.push(p, time.Duration(i)*dur)
			}
		}
		l.until(2 * time.Second)
		if l.end() != 1200*ms {
			t.Errorf("%v packets: the time line is at %v", dur, l.end())
		}
		for _, f := range l.frames {
			want := f.Start >= 480*ms && f.Start < 480*ms+dur
			if got := f.Origin != audio.Received; got != want || f.Duration() != min(dur, 20*ms) {
				t.Errorf("%v packets: frame at %v of %v is %v", dur, f.Start, f.Duration(), f.Origin)
			}
		}
	}
}

// Whatever the network does to packets, every frame begins where the last one
// ended, and the time line ends where the sender's does.
func TestReceiverKeepsTimeProperty(t *testing.T) {
	s := newSender(t, speech(80*320), 20*ms, false)
	rapid.Check(t, func(rt *rapid.T) {
		l := listen(rt)
		type arrival struct {
			at time.Duration
			p  *rtp.Packet
		}
		var net []arrival
		lost := 0
		for i, p := range s.packets {
			copies := rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 0, 2}).Draw(rt, "copies")
			if i == 0 || i == len(s.packets)-1 {
				copies = 1
			}
			if copies == 0 {
				lost++
			}
			for range copies {
				delay := rapid.SampledFrom([]time.Duration{0, 0, 0, 5 * ms, 25 * ms, 35 * ms}).Draw(rt, "delay")
				if i == 0 || i == len(s.packets)-1 {
					delay = 0
				}
				net = append(net, arrival{time.Duration(i)*20*ms + delay, p})
			}
		}
		slices.SortStableFunc(net, func(a, b arrival) int { return int(a.at - b.at) })
		for _, a := range net {
			l.push(a.p, a.at)
		}
		l.until(time.Minute)
		st := l.r.Stats()
		if l.end() != 1600*ms || int(st.Window.Lost) < lost || st.Recovered+st.Concealed != st.Window.Lost {
			rt.Fatalf("the time line is at %v with %d lost, %+v", l.end(), lost, st)
		}
	})
}

func FuzzReceiver(f *testing.F) {
	for _, p := range newSender(f, speech(3200), 20*ms, false).packets {
		raw, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, uint16(20))
	}
	f.Add([]byte{0xb0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0, 0, 0, 0, 9, 9, 9, 200}, uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, pass uint16) {
		l := listen(t)
		s := newSenderOnce()
		now := time.Duration(0)
		for i := range 3 { // between good packets
			l.push(s[i], now)
			now += time.Duration(pass%500) * ms
			var p rtp.Packet
			if err := p.Unmarshal(data); err == nil {
				p.SequenceNumber += uint16(i)
				l.push(&p, now)
			}
		}
		l.until(now + time.Minute)
		if l.end() > 10*fillLimit {
			t.Fatalf("%v of audio from 6 packets", l.end())
		}
	})
}

// newSenderOnce returns three packets of 20 ms of silence (CELT, one byte).
func newSenderOnce() (ps []*rtp.Packet) {
	for i := range 3 {
		ps = append(ps, &rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(i * 2), Timestamp: uint32(i * 1920)},
			Payload: []byte{0xf8, 0xff, 0xfe},
		})
	}
	return ps
}

func TestReceiverDoesNotAllocate(t *testing.T) {
	s := newSender(t, speech(16000), 20*ms, false)
	r, err := NewReceiver(func(audio.Frame) {})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	push := func() {
		p := *s.packets[20+i%20]
		p.SequenceNumber, p.Timestamp = uint16(i), uint32(i)*960
		r.Push(&p, epoch.Add(time.Duration(i)*20*ms))
		if i++; i%10 == 0 {
			i++ // lost
		}
	}
	for range 200 {
		push()
	}
	if n := testing.AllocsPerRun(100, push); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkReceiver(b *testing.B) {
	s := newSender(b, speech(16000), 20*ms, false)
	r, err := NewReceiver(func(audio.Frame) {})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := *s.packets[i%50]
		p.SequenceNumber, p.Timestamp = uint16(i), uint32(i)*960
		r.Push(&p, epoch.Add(time.Duration(i)*20*ms))
	}
}
