package media

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestReporter(t *testing.T) {
	var r reporter
	if _, ok := r.due(0, epoch); ok {
		t.Error("a report on nothing")
	}
	now := epoch
	// 100 packets around the wrap; every fourth of the second 50 is lost.
	for i := range 100 {
		now = epoch.Add(time.Duration(i) * 20 * ms)
		if i >= 50 && i%4 == 0 {
			continue
		}
		r.observe(7, uint16(65500+i), now)
		if i != 50 && i != 99 {
			if _, ok := r.due(0, now.Add(-20*ms)); ok && i < 50 {
				t.Fatalf("a report after %d packets", i)
			}
		}
		if i == 49 {
			r.told(&rtcp.SenderReport{SSRC: 7, NTPTime: 0x0001_1234_5678_9abc}, now)
			r.told(&rtcp.SenderReport{SSRC: 8, NTPTime: 1}, now)
			got, ok := r.due(10*ms, now.Add(20*ms))
			want := rtcp.ReceptionReport{SSRC: 7, LastSequenceNumber: 65549, Jitter: 480, LastSenderReport: 0x12345678, Delay: 65536 / 50}
			if !ok || got != want {
				t.Errorf("after a second: %+v, %v; want %+v", got, ok, want)
			}
		}
	}
	got, ok := r.due(0, now.Add(time.Second))
	if !ok || got.TotalLost != 12 || got.FractionLost != 12*256/50 || got.LastSequenceNumber != 65599 {
		t.Errorf("at the end: %+v, %v", got, ok)
	}
	if _, ok := r.due(0, now.Add(1500*ms)); ok {
		t.Error("two reports within a second")
	}
	// Duplicates do not make up for losses beyond what was expected.
	for range 30 {
		r.observe(7, uint16(65599%65536), now)
	}
	if got, _ := r.due(0, now.Add(3*time.Second)); got.TotalLost != 0 || got.FractionLost != 0 {
		t.Errorf("with duplicates: %+v", got)
	}
	// Another stream begins anew.
	r.observe(9, 5, now)
	if got, _ := r.due(0, now.Add(2*time.Second)); got != (rtcp.ReceptionReport{SSRC: 9, LastSequenceNumber: 5}) {
		t.Errorf("another stream: %+v", got)
	}
}
