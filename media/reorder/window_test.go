package reorder

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

var epoch = time.Unix(1000, 0)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// packet is number n of a stream that began at sequence number and timestamp
// just below their wrap.
func packet(n int, arrived time.Time) Packet {
	return Packet{
		Seq: uint16(65530 + n), Timestamp: uint32(1<<32 - 2000 + n*960),
		Payload: binary.BigEndian.AppendUint32(nil, uint32(n)), Arrived: arrived,
	}
}

// popAll pops at now and returns the packets' numbers, -k for k lost.
func popAll(t testing.TB, w *Window, now time.Time) (got []int) {
	t.Helper()
	for {
		item, ok := w.Pop(now)
		if !ok {
			return got
		}
		if item.Lost > 0 {
			got = append(got, -item.Lost)
		}
		n := int(binary.BigEndian.Uint32(item.Payload))
		if !item.Resync && item.Time != int64(n*960) {
			t.Fatalf("packet %d has time %d", n, item.Time)
		}
		got = append(got, n)
	}
}

func TestWindow(t *testing.T) {
	type step struct {
		at   time.Duration
		push []int
		want []int
	}
	for _, c := range []struct {
		name  string
		steps []step
		stats Stats
	}{
		{"in order, without delay", []step{{0, []int{0}, []int{0}}, {20 * ms, []int{1}, []int{1}}, {40 * ms, []int{2}, []int{2}}},
			Stats{Received: 3, Delivered: 3}},
		{"a swapped pair", []step{{0, []int{0}, []int{0}}, {20 * ms, []int{2}, nil}, {21 * ms, []int{1}, []int{1, 2}}},
			Stats{Received: 3, Delivered: 3, Reordered: 1}},
		{"a loss is declared after the wait", []step{{0, []int{0}, []int{0}}, {40 * ms, []int{2}, nil}, {59 * ms, nil, nil}, {60 * ms, nil, []int{-1, 2}}},
			Stats{Received: 2, Delivered: 2, Lost: 1}},
		{"a late packet is dropped", []step{{0, []int{0}, []int{0}}, {40 * ms, []int{2}, nil}, {60 * ms, nil, []int{-1, 2}}, {61 * ms, []int{1}, nil}},
			Stats{Received: 3, Delivered: 2, Lost: 1, Late: 1}},
		{"duplicates are dropped, delivered or held", []step{{0, []int{0, 0}, []int{0}}, {1 * ms, []int{2, 2, 0}, nil}, {2 * ms, []int{1}, []int{1, 2}}},
			Stats{Received: 6, Delivered: 3, Duplicates: 3, Reordered: 1}},
		{"a burst after a blackout", []step{{0, []int{0}, []int{0}}, {320 * ms, []int{16, 17, 18}, nil}, {340 * ms, nil, []int{-15, 16, 17, 18}}},
			Stats{Received: 4, Delivered: 4, Lost: 15}},
		{"two gaps", []step{{0, []int{0}, []int{0}}, {20 * ms, []int{2}, nil}, {25 * ms, []int{4}, nil}, {40 * ms, nil, []int{-1, 2}}, {45 * ms, nil, []int{-1, 4}}},
			Stats{Received: 3, Delivered: 3, Lost: 2}},
		{"a stray is dropped", []step{{0, []int{0}, []int{0}}, {1 * ms, []int{20000}, nil}, {20 * ms, []int{1}, []int{1}}},
			Stats{Received: 3, Delivered: 2, Late: 1}},
		{"two in a row are a new stream", []step{{0, []int{0}, []int{0}}, {1 * ms, []int{20000, 20001}, []int{20001}}, {2 * ms, []int{20002}, []int{20002}}},
			Stats{Received: 4, Delivered: 3, Late: 1, Resyncs: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Window
			for _, s := range c.steps {
				var got []int
				for _, n := range s.push {
					p := packet(n, at(s.at))
					if n >= 20000 { // its timestamps start anew too
						p.Timestamp = uint32(n)
					}
					w.Push(p)
					got = append(got, popResynced(t, &w, at(s.at))...)
				}
				if got = append(got, popAll(t, &w, at(s.at))...); !slices.Equal(got, s.want) {
					t.Fatalf("at %v: got %v, want %v", s.at, got, s.want)
				}
			}
			if w.Stats() != c.stats {
				t.Errorf("stats %+v, want %+v", w.Stats(), c.stats)
			}
		})
	}
}

// popResynced is popAll without the check of timestamps once a stream began anew.
func popResynced(t testing.TB, w *Window, now time.Time) (got []int) {
	if w.Stats().Resyncs == 0 {
		return popAll(t, w, now)
	}
	for {
		item, ok := w.Pop(now)
		if !ok {
			return got
		}
		got = append(got, int(binary.BigEndian.Uint32(item.Payload)))
	}
}

func TestWaitAdapts(t *testing.T) {
	var w Window
	w.Push(packet(0, at(0)))
	popAll(t, &w, at(0))
	wait := func(n int, now time.Duration) time.Duration {
		w.Push(packet(n, at(now)))
		if got := popAll(t, &w, at(now)); got != nil {
			t.Fatalf("popped %v at the gap", got)
		}
		return w.Deadline().Sub(at(now))
	}
	// Losses, and nothing ever late: the wait shrinks.
	now, n := time.Duration(0), 0
	for range 40 {
		now, n = now+100*ms, n+2
		wait(n, now)
		popAll(t, &w, w.Deadline())
	}
	now, n = now+100*ms, n+2
	if got := wait(n, now); got != MinWait {
		t.Errorf("after many losses the wait is %v, want %v", got, MinWait)
	}
	popAll(t, &w, w.Deadline())
	// The missing packet comes 22 ms after its gap showed: the wait grows past that.
	w.Push(packet(n-1, at(now+22*ms)))
	now, n = now+100*ms, n+2
	if got := wait(n, now); got != 22*ms+margin {
		t.Errorf("after a packet 22 ms late the wait is %v", got)
	}
	popAll(t, &w, w.Deadline())
	// One that is hopelessly late teaches nothing.
	w.Push(packet(n-1, at(now+5*time.Second)))
	now, n = now+10*time.Second, n+2
	if got := wait(n, now); got >= 22*ms+margin {
		t.Errorf("after a packet 5 s late the wait is %v", got)
	}
}

func TestFullWindowDeclaresTheLoss(t *testing.T) {
	var w Window
	w.Push(packet(0, at(0)))
	popAll(t, &w, at(0))
	var got []int
	for n := 2; n < 2+capacity; n++ {
		w.Push(packet(n, at(ms)))
		got = append(got, popAll(t, &w, at(ms))...)
	}
	if len(got) != capacity+1 || got[0] != -1 {
		t.Errorf("got %v", got)
	}
}

func TestUnpoppedWindowOverflows(t *testing.T) {
	var w Window
	for n := range 2 * capacity {
		w.Push(packet(n, at(0)))
	}
	if s := w.Stats(); s.Overflowed != capacity || w.Held() != capacity {
		t.Errorf("held %d, %+v", w.Held(), s)
	}
}

// schedule is an order of arrivals that a network may produce.
type arrival struct {
	n  int
	at time.Duration
}

func arrivals(rt *rapid.T, packets int) []arrival {
	var all []arrival
	for n := range packets {
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 1, 1, 1, 2}).Draw(rt, "copies") {
			delay := time.Duration(rapid.IntRange(0, 90).Draw(rt, "delay")) * ms
			all = append(all, arrival{n, time.Duration(n)*20*ms + delay})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	return all
}

func TestOrderExactlyOnceAndInTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var w Window
		last, delivered, lost := -1, 0, 0
		first := true
		drain := func(now time.Time) {
			for {
				item, ok := w.Pop(now)
				if !ok {
					return
				}
				n := int(binary.BigEndian.Uint32(item.Payload))
				if !first && n != last+1+item.Lost {
					rt.Fatalf("packet %d with %d lost after %d", n, item.Lost, last)
				}
				if now.Sub(item.Arrived) > MaxWait {
					rt.Fatalf("packet %d was held for %v", n, now.Sub(item.Arrived))
				}
				last, first = n, false
				delivered++
				lost += item.Lost
			}
		}
		for _, a := range arrivals(rt, 60) {
			for d := w.Deadline(); !d.IsZero() && d.Before(at(a.at)); d = w.Deadline() {
				drain(d)
				if w.Deadline().Equal(d) {
					rt.Fatal("nothing was popped at the deadline")
				}
			}
			w.Push(packet(a.n, at(a.at)))
			drain(at(a.at))
		}
		for d := w.Deadline(); !d.IsZero(); d = w.Deadline() {
			drain(d)
		}
		s := w.Stats()
		if w.Held() != 0 || uint64(delivered) != s.Delivered || uint64(lost) != s.Lost ||
			s.Received != s.Delivered+s.Late+s.Duplicates+s.Overflowed {
			rt.Fatalf("held %d, delivered %d, lost %d, %+v", w.Held(), delivered, lost, s)
		}
		if len(w.free) > capacity+1 {
			rt.Fatalf("%d free buffers", len(w.free))
		}
	})
}

func TestNoAllocationInSteadyState(t *testing.T) {
	var w Window
	payload := bytes.Repeat([]byte{1}, 80)
	n := 0
	push := func() {
		// Every third pair is swapped, every seventh packet lost.
		for _, i := range []int{n + 1, n, n + 2, n + 4, n + 3, n + 5} {
			now := at(time.Duration(i) * 20 * ms)
			w.Push(Packet{Seq: uint16(i), Timestamp: uint32(i) * 960, Payload: payload, Arrived: now})
			for _, ok := w.Pop(now); ok; _, ok = w.Pop(now) {
			}
		}
		n += 7
	}
	for range 20 {
		push()
	}
	if allocs := testing.AllocsPerRun(100, push); allocs != 0 {
		t.Errorf("%v allocations per 6 packets", allocs)
	}
}

func FuzzWindow(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 1, 1, 0, 3, 1, 0, 2, 9})
	f.Add(bytes.Repeat([]byte{0xff, 0x00, 7}, 90))
	f.Fuzz(func(t *testing.T, data []byte) {
		var w Window
		now, delivered := epoch, uint64(0)
		for ; len(data) >= 3; data = data[3:] {
			now = now.Add(time.Duration(data[2]) * ms)
			seq := binary.BigEndian.Uint16(data)
			w.Push(Packet{Seq: seq, Timestamp: uint32(seq) << 16, Payload: data[:3], Arrived: now})
			for {
				item, ok := w.Pop(now)
				if !ok {
					break
				}
				if item.Lost < 0 || item.Lost > maxForward+capacity {
					t.Fatalf("%d lost", item.Lost)
				}
				delivered++
			}
			if d := w.Deadline(); w.Held() > 0 && (d.IsZero() || d.Before(now)) {
				t.Fatalf("%d held at %v until %v", w.Held(), now, d)
			}
		}
		if w.Held() >= capacity || w.Stats().Delivered != delivered {
			t.Fatalf("%d held, %+v", w.Held(), w.Stats())
		}
	})
}
