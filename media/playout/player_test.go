package playout

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"parley/media/opus"
)

const ms = time.Millisecond

// sent is a packet as the network saw it.
type sent struct {
	at      time.Duration // since the tape began
	marker  bool
	seq     uint16
	ts      uint32
	payload []byte
}

// tape records packets.
type tape struct {
	mu    sync.Mutex
	start time.Time
	got   []sent
	block chan struct{} // where not nil, WriteRTP waits for it
	fail  error
}

func newTape() *tape { return &tape{start: time.Now()} }

func (s *tape) WriteRTP(p *rtp.Packet) error {
	if s.block != nil {
		<-s.block
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, sent{time.Since(s.start), p.Marker, p.SequenceNumber, p.Timestamp, append([]byte(nil), p.Payload...)})
	return s.fail
}

func (s *tape) packets() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.got...)
}

// play runs f in a bubble with a player that writes to a tape.
func play(t *testing.T, f func(t *testing.T, p *Player, s *tape)) {
	synctest.Test(t, func(t *testing.T) {
		s := newTape()
		p := New(s)
		defer p.Close()
		f(t, p, s)
	})
}

func pcm(d time.Duration, rate int) []int16 {
	return make([]int16, int(d*time.Duration(rate)/time.Second))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkSchedule demands packets 20 ms apart from `from` on, numbered and
// stamped in step, the marker on the first alone.
func checkSchedule(t *testing.T, got []sent, from time.Duration) {
	t.Helper()
	for i, p := range got {
		if want := from + time.Duration(i)*frame; p.at != want {
			t.Errorf("packet %d left at %v, want %v", i, p.at, want)
		}
		if p.seq != got[0].seq+uint16(i) || p.ts != got[0].ts+uint32(i)*960 {
			t.Errorf("packet %d: seq %d, ts %d after %d, %d", i, p.seq, p.ts, got[0].seq, got[0].ts)
		}
		if p.marker != (i == 0) {
			t.Errorf("packet %d: marker %v", i, p.marker)
		}
	}
}

func TestFirstPacketAtOnceThenPaced(t *testing.T) {
	for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
		play(t, func(t *testing.T, p *Player, s *tape) {
			time.Sleep(time.Second)
			s.start = time.Now()
			var first time.Time
			track := p.Start(func(at time.Time) { first = at })
			must(t, track.Write(t.Context(), pcm(990*ms, rate), rate)) // 49 frames and a half
			must(t, track.Drain(t.Context()))
			got := s.packets()
			if len(got) != 50 {
				t.Fatalf("%d Hz: %d packets", rate, len(got))
			}
			checkSchedule(t, got, 0)
			if !first.Equal(s.start) {
				t.Errorf("first packet reported %v late", first.Sub(s.start))
			}
			if played := track.Played(); played.Sent != 990*ms || played.Heard != 990*ms {
				t.Errorf("played %+v, want 990 ms: padding does not count", played)
			}
			for _, q := range got {
				if o, err := opus.Parse(q.payload); err != nil || o.Duration() != frame {
					t.Fatalf("packet %+v, %v", o, err)
				}
			}
			if st := p.Stats(); st != (Stats{Packets: 50, Talkspurts: 1}) {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestWriteBlocksWhenTheBufferIsFull(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		track := p.Start(nil)
		must(t, track.Write(t.Context(), pcm(time.Second, 16000), 16000))
		// One second is queued when all but the buffer has left.
		if took := time.Since(s.start); took < 760*ms || took > 800*ms {
			t.Errorf("Write returned after %v", took)
		}
		must(t, track.Drain(t.Context()))
		if got := len(s.packets()); got != 50 {
			t.Errorf("%d packets", got)
		}
	})
}

func TestSilenceBetweenTalkspurtsMovesTheTimestamp(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		for range 2 {
			track := p.Start(nil)
			must(t, track.Write(t.Context(), pcm(60*ms, 24000), 24000))
			must(t, track.Drain(t.Context())) // returns as the third packet leaves, at 40 ms
			time.Sleep(time.Second)
		}
		got := s.packets()
		if len(got) != 6 {
			t.Fatalf("%d packets", len(got))
		}
		checkSchedule(t, got[:3], 0)
		checkSchedule(t, got[3:], 1040*ms)
		if step := got[3].ts - got[0].ts; step != 1040*48 {
			t.Errorf("the timestamp moved by %d, want %d", step, 1040*48)
		}
		if got[3].seq != got[2].seq+1 {
			t.Error("sequence numbers have a gap")
		}
	})
}

func TestBackToBackTracksStayOneFrameAheadAtMost(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		for range 20 {
			track := p.Start(nil)
			must(t, track.Write(t.Context(), pcm(frame, 16000), 16000))
			must(t, track.Drain(t.Context()))
		}
		for i, q := range s.packets() {
			ahead := time.Duration(q.ts-s.got[0].ts)*time.Second/48000 - q.at
			if ahead < 0 || ahead > frame {
				t.Errorf("packet %d is %v ahead of its time", i, ahead)
			}
		}
		if took := time.Since(s.start); took != 18*frame {
			t.Errorf("20 frames took %v", took)
		}
	})
}

func TestUnderrun(t *testing.T) {
	for _, c := range []struct {
		name      string
		pause     time.Duration // from the second packet to more PCM
		underruns uint64
		at        time.Duration // when the third packet leaves
	}{
		{"in time", 15 * ms, 0, 40 * ms},
		{"late, but within the grace", 39 * ms, 0, 59 * ms},
		{"too late", 300 * ms, 1, 320 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(t *testing.T, p *Player, s *tape) {
				track := p.Start(nil)
				must(t, track.Write(t.Context(), pcm(40*ms, 16000), 16000))
				time.Sleep(20*ms + c.pause)
				must(t, track.Write(t.Context(), pcm(60*ms, 16000), 16000))
				must(t, track.Drain(t.Context()))
				got, st := s.packets(), p.Stats()
				if len(got) != 5 || got[2].at != c.at || st.Underruns != c.underruns || st.Stalls != 0 {
					t.Fatalf("%d packets, third at %v, %+v", len(got), got[2].at, st)
				}
				checkSchedule(t, got[:2], 0)
				if c.underruns == 1 {
					checkSchedule(t, got[2:], c.at)
				} else if got[4].at != 80*ms || got[2].marker {
					t.Errorf("the schedule slipped: %+v", got)
				}
				if want := uint32(c.at.Milliseconds()) * 48; c.underruns == 1 && got[2].ts-got[0].ts != want {
					t.Errorf("the timestamp moved by %d, want %d", got[2].ts-got[0].ts, want)
				}
			})
		})
	}
}

func TestStopFlushesWithinAFrame(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		track := p.Start(nil)
		werr := make(chan error, 1)
		go func() { werr <- track.Write(context.Background(), pcm(5*time.Second, 16000), 16000) }()
		time.Sleep(105 * ms)
		played := track.Stop()
		if played.Sent != 120*ms || played.Heard != 120*ms {
			t.Errorf("played %+v", played)
		}
		if err := <-werr; !errors.Is(err, ErrStopped) {
			t.Errorf("the blocked Write returned %v", err)
		}
		time.Sleep(time.Second)
		if got := len(s.packets()); got != 6 {
			t.Errorf("%d packets", got)
		}
		if again := track.Stop(); again != played || track.Played() != played {
			t.Errorf("a second Stop says %+v", again)
		}
		if err := track.Write(t.Context(), pcm(frame, 16000), 16000); !errors.Is(err, ErrStopped) {
			t.Errorf("a late Write returned %v", err)
		}
		if err := track.Drain(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("a late Drain returned %v", err)
		}
	})
}

func TestStopDoesNotWaitForASlowNetwork(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		s.block = make(chan struct{})
		called := false
		track := p.Start(func(time.Time) { called = true })
		must(t, track.Write(t.Context(), pcm(100*ms, 16000), 16000))
		synctest.Wait() // the first packet is being written
		if played := track.Stop(); played.Sent != frame {
			t.Errorf("played %+v", played)
		}
		close(s.block)
		time.Sleep(time.Second)
		if got := len(s.packets()); got != 1 || called {
			t.Errorf("%d packets left; onFirst called: %v", got, called)
		}
	})
}

func TestStartStopsTheTrackBefore(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		one := p.Start(nil)
		must(t, one.Write(t.Context(), pcm(200*ms, 16000), 16000))
		time.Sleep(30 * ms)
		two := p.Start(nil)
		if err := one.Write(t.Context(), pcm(frame, 16000), 16000); !errors.Is(err, ErrStopped) {
			t.Errorf("the first track took more: %v", err)
		}
		must(t, two.Write(t.Context(), pcm(40*ms, 48000), 48000))
		must(t, two.Drain(t.Context()))
		got := s.packets()
		if len(got) != 4 || !got[2].marker || got[2].at != 30*ms || got[3].at != 60*ms {
			t.Errorf("packets %+v", got)
		}
	})
}

func TestCancelledWriteIsTakenBack(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		track := p.Start(nil)
		must(t, track.Write(t.Context(), pcm(100*ms, 16000), 16000))
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { time.Sleep(35 * ms); cancel(cause) }()
		if err := track.Write(ctx, pcm(time.Second, 16000), 16000); !errors.Is(err, cause) {
			t.Errorf("Write returned %v", err)
		}
		must(t, track.Drain(t.Context()))
		if got := len(s.packets()); got != 5 {
			t.Errorf("%d packets; only the first Write's may leave", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		track := p.Start(nil)
		if err := track.Write(t.Context(), pcm(frame, 22050), 22050); err == nil {
			t.Error("22050 Hz was taken")
		}
		must(t, track.Write(t.Context(), pcm(frame, 16000), 16000))
		if err := track.Write(t.Context(), pcm(frame, 24000), 24000); err == nil {
			t.Error("the rate changed within a track")
		}
		must(t, track.Drain(t.Context()))
		must(t, track.Drain(t.Context()))
		if err := track.Write(t.Context(), pcm(frame, 16000), 16000); !errors.Is(err, ErrDrained) {
			t.Errorf("a Write after Drain returned %v", err)
		}
		empty := p.Start(func(time.Time) { t.Error("an empty track has a first packet") })
		must(t, empty.Drain(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		long := p.Start(nil)
		must(t, long.Write(t.Context(), pcm(200*ms, 16000), 16000))
		if err := long.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain with a deadline returned %v", err)
		}
		p.Close()
		if err := p.Start(nil).Write(t.Context(), pcm(frame, 16000), 16000); !errors.Is(err, ErrStopped) {
			t.Errorf("a closed player took PCM: %v", err)
		}
	})
}

func TestHeardTrailsSentByTheReportedDelay(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		report(t, p, 80*ms, 0) // so 100 ms from sent to heard
		track := p.Start(nil)
		must(t, track.Write(t.Context(), pcm(300*ms, 16000), 16000))
		type point struct{ at, sent, heard time.Duration }
		for _, want := range []point{{105 * ms, 120 * ms, 5 * ms}, {210 * ms, 220 * ms, 110 * ms}} {
			time.Sleep(want.at - time.Since(s.start))
			if got := track.Played(); got != (Played{want.sent, want.heard}) {
				t.Errorf("at %v: %+v, want %+v", want.at, got, want)
			}
		}
		report(t, p, 500*ms, 0) // the estimate grows, what was heard was heard
		if got := track.Played(); got.Heard != 110*ms {
			t.Errorf("heard ran backwards to %v", got.Heard)
		}
		report(t, p, 0, 0)
		must(t, track.Drain(t.Context()))
		time.Sleep(time.Second)
		if got := track.Played(); got != (Played{300 * ms, 300 * ms}) {
			t.Errorf("at the end: %+v", got)
		}
	})
}

func TestAFailingNetworkDoesNotStopTheClock(t *testing.T) {
	play(t, func(t *testing.T, p *Player, s *tape) {
		s.fail = errors.New("no route")
		track := p.Start(nil)
		must(t, track.Write(t.Context(), pcm(100*ms, 16000), 16000))
		must(t, track.Drain(t.Context()))
		checkSchedule(t, s.packets(), 0)
		if st := p.Stats(); st.Failed != 5 {
			t.Errorf("stats %+v", st)
		}
	})
}

func report(t *testing.T, p *Player, rtt time.Duration, lost float64) {
	t.Helper()
	if err := p.Report(rtt, lost); err != nil {
		t.Fatal(err)
	}
}

// Packets carry FEC while, and only while, some of them get lost.
func TestFECFollowsLoss(t *testing.T) {
	var c core
	c.cur = &Track{}
	if err := c.setRate(16000); err != nil {
		t.Fatal(err)
	}
	protected := func(reports int, share float64) int {
		for range reports {
			if err := c.hearOfLoss(share); err != nil {
				t.Fatal(err)
			}
		}
		n, pcm := 0, mediaSpeech(320*50)
		for i := range 50 {
			c.pcm = append(c.pcm[:0], pcm[i*320:(i+1)*320]...)
			size, _, err := c.encode()
			if err != nil {
				t.Fatal(err)
			}
			if p, err := opus.Parse(c.payload[:size]); err == nil && p.FEC {
				n++
			}
		}
		return n
	}
	if n := protected(1, 0); n > 0 {
		t.Errorf("no loss: %d of 50 packets carry FEC", n)
	}
	if n := protected(5, 0.1); n < 10 {
		t.Errorf("10 %% loss: %d of 50 packets carry FEC", n)
	}
	if n := protected(20, 0); n > 1 { // the first after the change may still
		t.Errorf("after the loss: %d of 50 packets carry FEC", n)
	}
}

// mediaSpeech is a buzz with the overtones of a vowel, which Opus codes as speech.
func mediaSpeech(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		at := float64(i) / 16000
		var v float64
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(2*math.Pi*120*h*at) * math.Exp(-math.Pow((120*h-600)/500, 2))
		}
		pcm[i] = int16(3000 * v * (0.6 + 0.4*math.Sin(2*math.Pi*3*at)))
	}
	return pcm
}
