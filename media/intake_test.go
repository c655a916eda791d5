package media

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/audio"
)

// source is a track that yields what is sent into it, and errors.
type source struct {
	in       chan any // []byte, error, or time.Duration to be silent
	deadline time.Time
}

type timeoutError struct{ error }

func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func (s *source) PayloadType() webrtc.PayloadType   { return 111 }
func (s *source) SetReadDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *source) Read(b []byte) (int, interceptor.Attributes, error) {
	var timer <-chan time.Time
	if !s.deadline.IsZero() {
		timer = time.After(time.Until(s.deadline))
	}
	select {
	case v, ok := <-s.in:
		switch v := v.(type) {
		case []byte:
			return copy(b, v), nil, nil
		case error:
			return 0, nil, v
		}
		if !ok {
			return 0, nil, io.EOF
		}
		return 0, nil, io.EOF
	case <-timer:
		return 0, nil, timeoutError{errors.New("timeout")}
	}
}

func noReport(rtcp.ReceptionReport) {}

func raw(t testing.TB, p *rtp.Packet) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestIntakeKeepsTimeWithDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in intake
		var frames atomic.Int32
		if err := in.init(func(audio.Frame) { frames.Add(1) }, noReport); err != nil {
			t.Fatal(err)
		}
		s := &source{in: make(chan any)}
		done := make(chan struct{})
		go func() { in.receive(s); close(done) }()
		packets := newSender(t, speech(16000), 20*ms, false).packets
		s.in <- raw(t, packets[0])
		s.in <- raw(t, packets[2]) // the one between is lost: declared after 20 ms, without another packet
		time.Sleep(19 * ms)
		synctest.Wait()
		if n := frames.Load(); n != 1 {
			t.Errorf("%d frames before the wait is over", n)
		}
		time.Sleep(2 * ms)
		synctest.Wait()
		if n := frames.Load(); n != 3 {
			t.Errorf("%d frames after the wait", n)
		}
		dtx := *packets[3]
		dtx.Payload = []byte{packets[3].Payload[0] &^ 3}
		s.in <- raw(t, &dtx)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := in.stats(); got.Comfort < 48 || got.Comfort > 51 {
			t.Errorf("%d comfort frames in a second of DTX", got.Comfort)
		}
		close(s.in)
		<-done
	})
}

func TestIntakeDropsAndCountsWhatItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in intake
		frames := 0
		if err := in.init(func(audio.Frame) { frames++ }, noReport); err != nil {
			t.Fatal(err)
		}
		s := &source{in: make(chan any)}
		done := make(chan struct{})
		go func() { in.receive(s); close(done) }()
		p := *newSender(t, speech(320), 20*ms, false).packets[0]
		alien := p
		alien.PayloadType = 0
		s.in <- []byte{1, 2, 3}
		s.in <- raw(t, &alien)
		s.in <- io.ErrShortBuffer
		for range 1000 { // at one instant
			s.in <- raw(t, &p)
			p.SequenceNumber++
			p.Timestamp += 960
		}
		close(s.in)
		<-done
		got := in.stats()
		if got.Alien != 2 || got.Oversized != 1 || got.Window.Received != packetBurst-2 || got.Flooded != 1000-(packetBurst-2) {
			t.Errorf("stats %+v", got)
		}
		if frames != packetBurst-2 {
			t.Errorf("%d frames", frames)
		}
	})
}

func FuzzIntake(f *testing.F) {
	for _, p := range newSender(f, speech(3200), 20*ms, false).packets {
		f.Add(raw(f, p))
	}
	f.Add([]byte{0xb0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0, 0, 0, 0, 9, 9, 9, 200}) // padding over the end
	f.Add([]byte{0xa0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 0})                                       // padding of 0
	var in intake
	now := epoch
	if err := in.init(func(audio.Frame) {}, noReport); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var packet rtp.Packet
		now = now.Add(20 * ms)
		in.take(&packet, data, now, 111)
		in.tick(now.Add(10 * ms))
	})
}

func TestRoundTrip(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 250e6, time.UTC)
	sent := ntpMiddle(now.Add(-130 * ms))
	for _, c := range []struct {
		name   string
		report rtcp.ReceptionReport
		want   time.Duration
		ok     bool
	}{
		{"130 ms ago, held for 50", rtcp.ReceptionReport{LastSenderReport: sent, Delay: 65536 / 20}, 80 * ms, true},
		{"no sender report yet", rtcp.ReceptionReport{}, 0, false},
		{"held for longer than it took", rtcp.ReceptionReport{LastSenderReport: sent, Delay: 65536 / 7}, 0, true},
		{"nonsense", rtcp.ReceptionReport{LastSenderReport: sent - 10*65536}, 0, false},
	} {
		got, ok := roundTrip(c.report, now)
		if ok != c.ok || got < c.want-ms/10 || got > c.want+ms/10 {
			t.Errorf("%s: %v, %v; want %v", c.name, got, ok, c.want)
		}
	}
	// RFC 5905: 1970-01-01 is 2208988800 s after 1900-01-01.
	if got := ntpMiddle(time.Unix(0, 5e8)); got != uint32((2208988800<<16|1<<15)&0xffffffff) {
		t.Errorf("ntpMiddle of 1970 and a half second = %#x", got)
	}
}

// reports is a stream of RTCP packets.
type reports [][]byte

func (r *reports) Read(b []byte) (int, interceptor.Attributes, error) {
	if len(*r) == 0 {
		return 0, nil, io.EOF
	}
	n := copy(b, (*r)[0])
	*r = (*r)[1:]
	return n, nil, nil
}

func TestReadRTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rep := []rtcp.ReceptionReport{{LastSenderReport: ntpMiddle(time.Now().Add(-40 * ms))}}
		var in reports
		for range 3 {
			for _, p := range []rtcp.Packet{&rtcp.ReceiverReport{Reports: rep}, &rtcp.SenderReport{Reports: rep}, &rtcp.Goodbye{}} {
				b, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				in = append(in, b, []byte{0xff})
			}
		}
		for range 1000 { // a storm at one instant
			in = append(in, in[0])
		}
		n := 0
		readRTCP(&in, func(p rtcp.Packet, now time.Time) {
			receiverReports(p, now, func(rtt time.Duration, _ float64) {
				n++
				if rtt < 39*ms || rtt > 41*ms {
					t.Fatalf("RTT %v", rtt)
				}
			})
		})
		if n < 6 || n > reportBurst {
			t.Errorf("%d reports taken", n)
		}
	})
}
