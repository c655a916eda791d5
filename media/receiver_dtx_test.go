package media

import (
	"slices"
	"testing"
	"time"

	"parley/audio"
)

// dtxCall is half a second of speech, a second and a half of silence, and
// speech again, from an encoder that uses DTX.
func dtxCall(t fataler) sender {
	pcm := slices.Concat(speech(8000), make([]int16, 24000), speech(8000))
	return newSender(t, pcm, 20*ms, true)
}

func TestReceiverGoesOnInRealTimeDuringDTX(t *testing.T) {
	s, l := dtxCall(t), listen(t)
	sent := 0
	for i, p := range s.packets {
		l.push(p, time.Duration(i)*20*ms)
		if p != nil {
			sent++
		}
		// The time line is never more than a frame and the slack behind.
		if behind := time.Duration(i+1)*20*ms - l.end(); behind > 20*ms+comfortSlack {
			t.Fatalf("at %v the time line is %v behind", l.now, behind)
		}
	}
	if sent > 80 {
		t.Fatalf("%d of 125 packets were sent: no DTX to test", sent)
	}
	if l.end() != 2500*ms {
		t.Errorf("the time line is at %v, want the sender's 2.5 s", l.end())
	}
	if got := l.r.Stats(); got.Comfort < 40 || got.Concealed+got.Recovered > 0 {
		t.Errorf("stats %+v", got)
	}
}

func TestReceiverKeepsSpeechThatComfortOvertook(t *testing.T) {
	s, l := dtxCall(t), listen(t)
	// From 700 ms on everything is 55 ms late: comfort frames take the place of
	// the first packets after the silence, which still must all be heard.
	for i, p := range s.packets {
		at := time.Duration(i) * 20 * ms
		if at > 700*ms {
			at += 55 * ms
		}
		l.push(p, at)
	}
	voiced := 0
	for _, f := range l.frames {
		if f.Origin == audio.Received && f.Start >= 1900*ms {
			voiced++
		}
	}
	if slip := l.end() - 2500*ms; voiced < 25 || slip < 0 || slip > 80*ms {
		t.Errorf("%d frames of speech at the end, the time line slipped by %v", voiced, slip)
	}
}

func TestReceiverConcealsALostPacketInDTX(t *testing.T) {
	s, l := dtxCall(t), listen(t)
	// The first packet after the long silence is lost.
	first := 0
	for i := 110; first == 0; i-- {
		if s.packets[i] == nil {
			first = i + 1
		}
	}
	for i, p := range s.packets {
		if i != first {
			l.push(p, time.Duration(i)*20*ms)
		}
	}
	l.until(2500 * ms)
	st := l.r.Stats()
	if st.Window.Lost != 1 || st.Recovered+st.Concealed > 1 || l.end() < 2500*ms || l.end() > 2540*ms {
		t.Errorf("the time line is at %v, %+v", l.end(), st)
	}
}

func TestReceiverGivesUpOnASenderThatVanishesInDTX(t *testing.T) {
	s, l := dtxCall(t), listen(t)
	for i, p := range s.packets[:60] {
		l.push(p, time.Duration(i)*20*ms)
	}
	l.until(time.Hour)
	if l.end() < comfortLimit || l.end() > comfortLimit+1200*ms || !l.r.Deadline().IsZero() {
		t.Errorf("comfort went on until %v", l.end())
	}
}
