package playout

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// coreAt returns a core with a track that holds d of PCM at 16 kHz.
func coreAt(t interface{ Fatal(...any) }, d time.Duration, now time.Time) *core {
	c := &core{cur: &Track{}}
	if err := c.setRate(16000); err != nil {
		t.Fatal(err)
	}
	c.queue(pcm(d, 16000), now)
	return c
}

func TestLateTicksCatchUp(t *testing.T) {
	now := time.Unix(1, 0)
	c := coreAt(t, 200*ms, now)
	ticks := func(at time.Duration) (n int) {
		for c.tick(now.Add(at)) {
			n++
		}
		return n
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, 1}, {19 * ms, 0}, {20 * ms, 1}, {90 * ms, 3}, {100 * ms, 1}} {
		if got := ticks(step.at); got != step.want {
			t.Errorf("at %v: %d packets, want %d", step.at, got, step.want)
		}
	}
	// 300 ms asleep: no burst; the schedule starts anew.
	if got := ticks(400 * ms); got != 1 || c.stats.Stalls != 1 || !c.packet.Marker {
		t.Errorf("after a stall: %d packets, %+v", got, c.stats)
	}
	if got := ticks(420 * ms); got != 1 || c.packet.Marker {
		t.Errorf("after a stall and a frame: %d packets", got)
	}
}

// Whatever PCM comes when, and however late the loop is: RTP time never runs
// more than a frame ahead of the clock nor backwards, numbers have no gap, and
// only the first packet of a talkspurt has a marker.
func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Unix(1, 0)
		c := coreAt(rt, 0, now)
		first, lastTS, lastSeq, packets := time.Time{}, uint32(0), uint16(0), 0
		base := uint32(0)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 20, 20, 20, 40, 130, 700}).Draw(rt, "pass")) * ms)
			c.queue(pcm(time.Duration(rapid.SampledFrom([]int{0, 5, 20, 60}).Draw(rt, "pcm"))*ms, 16000), now)
			if rapid.IntRange(0, 9).Draw(rt, "stop") == 0 {
				c.finish()
				c.cur = &Track{}
			}
			for spurts := c.stats.Talkspurts; c.tick(now); spurts = c.stats.Talkspurts {
				if c.packet.Marker != (c.stats.Talkspurts > spurts) {
					rt.Fatal("marker without a new talkspurt, or none on one")
				}
				if packets == 0 {
					first, base = now, c.packet.Timestamp
				} else if c.packet.SequenceNumber != lastSeq+1 || int32(c.packet.Timestamp-lastTS) < 960 {
					rt.Fatalf("packet %d, %d after %d, %d", c.packet.SequenceNumber, c.packet.Timestamp, lastSeq, lastTS)
				}
				ahead := time.Duration(c.packet.Timestamp-base)*time.Second/48000 - now.Sub(first)
				if ahead > frame || ahead < -maxLate-ms {
					rt.Fatalf("%v ahead of the clock", ahead)
				}
				lastTS, lastSeq = c.packet.Timestamp, c.packet.SequenceNumber
				packets++
			}
		}
		if len(c.pcm) > cap(c.pcm) || c.stats.Packets != uint64(packets) {
			rt.Fatalf("%d samples wait, %+v", len(c.pcm), c.stats)
		}
	})
}

func TestNoAllocationPerFrame(t *testing.T) {
	now := time.Unix(1, 0)
	c := coreAt(t, 40*ms, now)
	in := pcm(frame, 16000)
	if n := testing.AllocsPerRun(100, func() {
		c.queue(in, now)
		if !c.tick(now) {
			t.Fatal("no packet")
		}
		now = now.Add(frame)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	now := time.Unix(1, 0)
	c := coreAt(b, 40*ms, now)
	in := pcm(frame, 16000)
	for i := range in {
		in[i] = int16(i * 7919 % 4001)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.queue(in, now)
		c.tick(now)
		now = now.Add(frame)
	}
}
