// Package reorder puts RTP packets back in order. It adds no delay while
// nothing is missing; at a gap it waits as long as late packets have lately
// needed, at most 40 ms, then declares the missing ones lost.
//
// May import: the standard library only.
// Concurrency: a Window belongs to one goroutine. It is pure: time is an
// argument.
package reorder

import "time"

// The bounds of the wait at a gap. A packet that overtakes another does so by
// a few milliseconds; the wait grows only where the network shows that more is
// needed, and shrinks with every loss it was spent on in vain.
const (
	MinWait     = 5 * time.Millisecond
	MaxWait     = 40 * time.Millisecond
	initialWait = 20 * time.Millisecond
	margin      = 5 * time.Millisecond // beyond the latest lateness seen
)

const (
	capacity   = 64   // packets held at a gap; more force the gap's loss
	maxForward = 3000 // a larger step in sequence numbers is a new stream (RFC 3550 A.1)
	maxBack    = 100  // a packet this much older is late; older still, a new stream
)

// Packet is one RTP packet.
type Packet struct {
	Seq       uint16
	Timestamp uint32
	Payload   []byte
	Arrived   time.Time
}

// Item is a packet in order. Its Payload is lent until the next Push.
type Item struct {
	Packet
	Time   int64 // the timestamp, unwrapped; counts from the first packet's
	Lost   int   // packets missing just before this one
	Resync bool  // the numbering starts anew: nothing is known about what came between
}

// Stats counts what became of packets.
type Stats struct {
	Received   uint64 // pushed, of any fate
	Delivered  uint64
	Lost       uint64 // declared lost; a packet that then comes counts as Late too
	Late       uint64 // dropped: came after they were declared lost
	Duplicates uint64 // dropped: came twice
	Reordered  uint64 // came late, but in time
	Overflowed uint64 // dropped: the window was full
	Resyncs    uint64
}

// Window is the reordering window of one stream. The zero value is ready.
type Window struct {
	started  bool
	next     int64 // unwrapped number of the packet to deliver next
	history  uint64
	lastTime int64 // unwrapped timestamp of the newest packet pushed
	lastRaw  uint32
	newest   int64

	held   []entry  // sorted by number, all >= next
	free   [][]byte // payload buffers to use again
	lent   []byte   // the buffer of the Item last popped
	gapAt  time.Time
	lossAt time.Time // when the wait for the last gap began
	wait   time.Duration

	resync    bool
	suspect   uint16 // the number that would confirm a new stream
	suspected bool
	stats     Stats
}

type entry struct {
	num  int64
	time int64
	p    Packet
}

// Stats returns the counters so far.
func (w *Window) Stats() Stats { return w.stats }

// Push takes a packet; its payload is copied. Pop until it returns false after
// every Push.
func (w *Window) Push(p Packet) {
	w.stats.Received++
	w.reclaim()
	if !w.started {
		w.start(p)
	}
	num := w.next + int64(int16(p.Seq-uint16(w.next)))
	switch d := num - w.next; {
	case d > maxForward || d < -maxBack:
		if !w.confirmed(p) {
			return
		}
		num = w.next
	case d < 0:
		w.tooLate(num, p.Arrived)
		return
	}
	w.suspected = false
	w.insert(num, p)
}

// start begins a stream, or begins it anew, at p.
func (w *Window) start(p Packet) {
	for _, e := range w.held {
		w.free = append(w.free, e.p.Payload)
	}
	w.held = w.held[:0]
	w.started = true
	w.next, w.newest = int64(p.Seq), int64(p.Seq)
	w.lastRaw, w.lastTime = p.Timestamp, 0
	w.history, w.gapAt, w.lossAt = 0, time.Time{}, time.Time{}
	if w.wait == 0 {
		w.wait = initialWait
	}
}

// confirmed tells whether p, far from the stream, is the second packet in a row
// of a new one, and then starts that (RFC 3550 A.1). A lone stray is dropped.
func (w *Window) confirmed(p Packet) bool {
	if !w.suspected || p.Seq != w.suspect {
		w.suspected, w.suspect = true, p.Seq+1
		w.stats.Late++
		return false
	}
	w.stats.Resyncs++
	w.start(p)
	w.resync = true
	return true
}

// tooLate counts a packet whose place has passed, and learns from a late one.
func (w *Window) tooLate(num int64, now time.Time) {
	if back := w.next - 1 - num; back < 64 && w.history>>back&1 == 1 {
		w.stats.Duplicates++
		return
	}
	w.stats.Late++
	if !w.lossAt.IsZero() {
		w.learn(now.Sub(w.lossAt))
	}
}

// insert files p under num.
func (w *Window) insert(num int64, p Packet) {
	at := len(w.held)
	for at > 0 && w.held[at-1].num >= num {
		at--
	}
	if at < len(w.held) && w.held[at].num == num {
		w.stats.Duplicates++
		return
	}
	if len(w.held) >= capacity {
		w.stats.Overflowed++
		return
	}
	if num < w.newest {
		w.stats.Reordered++
		if !w.gapAt.IsZero() {
			w.learn(p.Arrived.Sub(w.gapAt))
		}
	}
	w.newest = max(w.newest, num)
	ts := w.lastTime + int64(int32(p.Timestamp-w.lastRaw))
	if num == w.newest {
		w.lastTime, w.lastRaw = ts, p.Timestamp
	}
	p.Payload = append(w.buffer(), p.Payload...)
	w.held = append(w.held, entry{})
	copy(w.held[at+1:], w.held[at:])
	w.held[at] = entry{num: num, time: ts, p: p}
	if w.held[0].num > w.next && w.gapAt.IsZero() {
		w.gapAt = p.Arrived
	}
}

// learn widens the wait to what would have caught a packet this late, if any
// wait would have.
func (w *Window) learn(lateness time.Duration) {
	if lateness <= MaxWait {
		w.wait = max(w.wait, min(lateness+margin, MaxWait))
	}
}

// Pop returns the next packet in order: at once where it is there, after the
// wait where packets before it are missing.
func (w *Window) Pop(now time.Time) (Item, bool) {
	if len(w.held) == 0 {
		return Item{}, false
	}
	head := w.held[0]
	lost := head.num - w.next
	if lost > 0 {
		if len(w.held) < capacity && now.Before(w.gapAt.Add(w.wait)) {
			return Item{}, false
		}
		w.lossAt = w.gapAt
		w.wait = max(MinWait, w.wait*9/10)
	}
	w.deliver(head, lost)
	item := Item{Packet: head.p, Time: head.time, Lost: int(lost), Resync: w.resync}
	w.resync = false
	return item, true
}

// deliver takes head out of the window.
func (w *Window) deliver(head entry, lost int64) {
	w.reclaim()
	w.lent = head.p.Payload
	copy(w.held, w.held[1:])
	w.held[len(w.held)-1] = entry{}
	w.held = w.held[:len(w.held)-1]
	w.next = head.num + 1
	w.history = w.history<<min(lost+1, 64) | 1
	w.stats.Delivered++
	w.stats.Lost += uint64(lost)
	w.gapAt = time.Time{}
	if len(w.held) > 0 && w.held[0].num > w.next {
		// The next gap has shown since the first of the packets behind it came.
		w.gapAt = w.held[0].p.Arrived
		for _, e := range w.held[1:] {
			if e.p.Arrived.Before(w.gapAt) {
				w.gapAt = e.p.Arrived
			}
		}
	}
}

// Deadline is when Pop will next return a packet although others are missing
// before it; the zero time when it waits for none.
func (w *Window) Deadline() time.Time {
	if len(w.held) == 0 || w.gapAt.IsZero() {
		return time.Time{}
	}
	return w.gapAt.Add(w.wait)
}

// Held is the number of packets that wait behind a gap.
func (w *Window) Held() int { return len(w.held) }

func (w *Window) buffer() []byte {
	if n := len(w.free); n > 0 {
		b := w.free[n-1]
		w.free = w.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 256)
}

func (w *Window) reclaim() {
	if w.lent != nil {
		w.free = append(w.free, w.lent)
		w.lent = nil
	}
}
