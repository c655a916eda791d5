package loadtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"pgregory.net/rapid"

	"parley/audio"
	"parley/internal/timeline"
)

func TestClipBounds(t *testing.T) {
	c := hum("hum", 110*ms, 200*ms, 300*ms)
	from, to := c.Speech()
	if c.Duration() != 620*ms || from != 100*ms || to != 320*ms { // 610 ms fill 31 frames
		t.Errorf("got %v, speech %v to %v", c.Duration(), from, to)
	}
	quiet := make([]int16, 16000)
	for i := range quiet {
		quiet[i] = int16(i % 2) // −96 dBFS, below SpeechFloor
	}
	for name, pcm := range map[string][]int16{"digital silence": make([]int16, 100), "next to nothing": quiet} {
		c, err := NewClip(name, pcm, 16000)
		if err != nil {
			t.Fatal(err)
		}
		if from, to := c.Speech(); from != 0 || to != 0 {
			t.Errorf("%s: speech from %v to %v", name, from, to)
		}
	}
}

// A soft tail more than SpeechRange below the loudest frame is no speech.
func TestClipSpeechIsRelative(t *testing.T) {
	pcm := make([]int16, 16000)
	for i := range pcm {
		level := 8000
		if i >= 8000 {
			level = 8000 / 40 // −32 dB
		}
		pcm[i] = int16(level * (1 - 2*(i/20%2)))
	}
	c, err := NewClip("fades", pcm, 16000)
	if err != nil {
		t.Fatal(err)
	}
	if _, to := c.Speech(); to != 500*ms {
		t.Errorf("speech ends at %v", to)
	}
}

// What the encoder's delay pushes into the next packet is heard there, and does
// not move the end of speech.
func TestClipLevels(t *testing.T) {
	for _, c := range []struct {
		length time.Duration
		spills bool
	}{{200 * ms, true}, {210 * ms, false}} {
		clip := hum("hum", 0, c.length, 100*ms)
		levels, err := clip.Levels()
		if err != nil {
			t.Fatal(err)
		}
		_, to := clip.Speech()
		after := levels[to/audio.FrameDuration]
		if (after > -35) != c.spills || len(levels) != clip.frames()+tail {
			t.Errorf("%v: speech ends at %v, the packet after has %.0f dBFS", c.length, to, after)
		}
	}
}

func TestLoadClipRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		must(os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	wav := func(name string, pcm []int16) string {
		var b strings.Builder
		must(audio.WriteWAV(&b, pcm, 16000))
		return file(name, b.String())
	}
	for path, says := range map[string]string{
		filepath.Join(dir, "none.wav"):    "There is no file",
		dir:                               "cannot be read as audio: is a directory.",
		file("notes.txt", "Dear diary, "): "is not a WAV file",
		file("empty.wav", ""):             "empty.wav cannot be read as audio: the file is empty.",
		file("cut.wav", "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01"): "cut.wav cannot be read as audio: it ends inside its format chunk.",
		wav("nothing.wav", nil):                  "holds no audio",
		wav("silence.wav", make([]int16, 16000)): "holds only silence",
	} {
		if _, err := LoadClip(path); ClassOf(err) != BadAudio || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", filepath.Base(path), err, says)
		}
	}
}

func TestLoadClip(t *testing.T) {
	c, err := LoadClip(filepath.Join("..", "testdata", "speech", "brooklyn-bridge.wav"))
	if err != nil {
		t.Fatal(err)
	}
	from, to := c.Speech()
	if c.Name != "brooklyn-bridge.wav" || c.Duration() != 1820*ms || from > 300*ms || to < 1500*ms {
		t.Errorf("%s: %v, speech %v to %v", c.Name, c.Duration(), from, to)
	}
}

func TestMicNotesMoments(t *testing.T) {
	m := newMic([][]byte{{1}}, false)
	p := &play{clip: hum("hum", 40*ms, 40*ms, 40*ms)}
	m.play = p
	at, began := time.Unix(0, 0), time.Unix(0, 0)
	for i := range 20 {
		packet, ok := m.frame()
		if !ok || packet.Marker {
			t.Fatalf("packet %d: sent %v, marker %v", i, ok, packet.Marker)
		}
		m.sent(at)
		at = at.Add(audio.FrameDuration)
	}
	got := []time.Duration{p.began.Sub(began), p.onset.Sub(began), p.spoke.Sub(began), p.ended.Sub(began)}
	if want := []time.Duration{0, 40 * ms, 60 * ms, 100 * ms}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if m.play != nil {
		t.Error("the clip never ended")
	}
}

// With DTX silence is sent for 200 ms, then every 400; timestamps go on,
// sequence numbers count what is sent, and speech begins with a marker.
func TestMicDTX(t *testing.T) {
	m := newMic([][]byte{{1}}, true)
	first, _ := m.frame()
	sent, last := 1, first
	for range 99 {
		p, ok := m.frame()
		m.sent(time.Time{})
		if !ok {
			continue
		}
		if p.SequenceNumber != last.SequenceNumber+1 {
			t.Fatal("a gap in the sequence")
		}
		sent, last = sent+1, p
	}
	if sent != 10+4 { // of 100 frames: 10, then one in 20 of 90
		t.Errorf("%d packets in 2 s of silence", sent)
	}
	m.play = &play{clip: hum("hum", 0, 40*ms, 0)}
	p, ok := m.frame()
	if !ok || !p.Marker || p.Timestamp != first.Timestamp+100*frameSize {
		t.Errorf("speech: sent %v, marker %v, %d samples on", ok, p.Marker, p.Timestamp-first.Timestamp)
	}
	m.skip(5)
	if q, _ := m.frame(); q.Timestamp != p.Timestamp+6*frameSize {
		t.Errorf("after a skip: %d samples on", q.Timestamp-p.Timestamp)
	}
}

// earful feeds an ear one packet per 20 ms, less those that drop names.
func earful(t *testing.T, e *ear, c *Clip, start time.Time, seq uint16, lost ...int) {
	t.Helper()
	for i := range c.frames() {
		if !slices.Contains(lost, i) {
			p := rtp.Packet{Header: rtp.Header{SequenceNumber: seq + uint16(i)}, Payload: c.packets[i]}
			e.packet(&p, start.Add(time.Duration(i)*audio.FrameDuration))
		}
	}
}

func TestEarSpurts(t *testing.T) {
	e, err := newEar(true)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(100, 0)
	c := hum("hum", 100*ms, 300*ms, 0)
	earful(t, e, c, start, 65530, 7, 8, 9) // wraps; three lost
	earful(t, e, c, start.Add(2*time.Second), 14)
	if e.count() != 2 || e.lost != 3 {
		t.Fatalf("%d spurts, %d lost", e.count(), e.lost)
	}
	s := e.since(0)[0]
	near(t, "audible after", s.audible.Sub(s.first), 100*ms, 120*ms)
	near(t, "length", s.last.Sub(s.first), 380*ms, 380*ms)
	// 2 × 400 ms, and the pause between of 1.6 s
	near(t, "heard", audio.SamplesToDuration(len(e.heard), e.rate), 2400*ms-20*ms, 2400*ms)
	late := rtp.Packet{Header: rtp.Header{SequenceNumber: 16}, Payload: c.packets[0]}
	if before := len(e.heard); e.packet(&late, start.Add(3*time.Second)) || len(e.heard) != before {
		t.Error("a packet that comes too late was played")
	}
}

// A long loss is no pause of the speaker; a marker is a new spurt at once.
func TestEarTellsLossFromPause(t *testing.T) {
	e, err := newEar(false)
	if err != nil {
		t.Fatal(err)
	}
	c := hum("hum", 0, 600*ms, 0)
	blackout := []int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	earful(t, e, c, time.Unix(100, 0), 1, blackout...)
	if e.count() != 1 || e.lost != 15 || e.heard != nil {
		t.Errorf("%d spurts, %d lost", e.count(), e.lost)
	}
	p := rtp.Packet{Header: rtp.Header{SequenceNumber: 31, Marker: true}, Payload: c.packets[0]}
	e.packet(&p, e.latest().Add(20*ms))
	if e.count() != 2 {
		t.Error("a marker began no spurt")
	}
	for i := range 3 * maxSpurts {
		p.SequenceNumber = uint16(32 + i)
		e.packet(&p, time.Unix(200, 0))
	}
	if len(e.spurts) > maxSpurts || e.count() != 2+3*maxSpurts || len(e.since(e.count()-1)) != 1 || len(e.since(0)) != len(e.spurts) {
		t.Errorf("%d spurts kept of %d", len(e.spurts), e.count())
	}
}

// Garbage for payload neither breaks the ear nor counts as sound.
func TestEarSurvivesGarbage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e, err := newEar(true)
		if err != nil {
			rt.Fatal(err)
		}
		at := time.Unix(100, 0)
		for range rapid.IntRange(1, 20).Draw(rt, "packets") {
			p := rtp.Packet{
				Header:  rtp.Header{SequenceNumber: rapid.Uint16().Draw(rt, "seq"), Marker: rapid.Bool().Draw(rt, "marker")},
				Payload: rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(rt, "payload"),
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "gap")) * ms)
			e.packet(&p, at)
		}
		if most := audio.DurationToSamples(maxHeard, e.rate); len(e.heard) > most {
			rt.Fatalf("kept %d samples", len(e.heard))
		}
	})
}

func TestStoryIgnoresEarlierTurns(t *testing.T) {
	var s story
	s.begin()
	tell := func(format string, args ...any) { s.tell(fmt.Appendf(nil, format, args...), time.Unix(1, 0)) }
	tell(`{"type":"response.created","response":{"id":"r1"}}`)
	tell(`{"type":"parley.turn","turn":1,"status":"completed"}`)
	s.begin()
	tell(`{"type":"parley.turn","turn":1,"status":"completed","timeline":{"origin":"2026-01-01T00:00:00Z","marks_ms":{"speech_ended":0}}}`)
	tell(`{"type":"response.output_audio_transcript.delta","response_id":"r1","delta":"old"}`)
	tell(`{"type":"response.output_audio_transcript.delta","response_id":"r0","delta":"older"}`)
	tell(`{"type":"response.created","response":{"id":"r2"}}`)
	tell(`{"type":"response.output_audio_transcript.delta","response_id":"r2","delta":"new "}`)
	tell(`{"type":"response.output_audio_transcript.delta","response_id":"r2","delta":"words"}`)
	tell(`{"type":"parley.turn","turn":2,"status":"completed"}`)
	tell(`{"type":"parley.turn","turn":2,"status":"completed","heard":"new"}`)
	tell(`{"type":"parley.transcript.partial","item_id":"b","transcript":"thr"}`)
	tell(`{"type":"conversation.item.input_audio_transcription.completed","item_id":"b","transcript":"three"}`)
	tell(`{"type":"conversation.item.input_audio_transcription.delta","item_id":"c","delta":"fo"}`)
	tell(`{"type":"conversation.item.input_audio_transcription.delta","item_id":"c","delta":"ur"}`)
	tell(`not json`)
	tell(`{"type":42}`)
	if len(s.ends) != 1 || s.ends[0].turn != 2 || s.ends[0].heard != "new" || s.latest().words() != "new words" || s.previous.words() != "old" {
		t.Errorf("ends %+v, reply %q", s.ends, s.latest().words())
	}
	if got := s.transcript(); got != "three four" {
		t.Errorf("transcript %q", got)
	}
}

func TestSpread(t *testing.T) {
	if got := NewSpread(nil); got != (Spread{}) {
		t.Errorf("nothing: %+v", got)
	}
	if got, want := NewSpread([]float64{4, 1, 3, 2}), (Spread{4, 1, 2.5, 4, 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(i+1))
	}
	if got := NewSpread(hundred); got.P95 != 95 || got.Median != 50.5 {
		t.Errorf("got %+v", got)
	}
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {failf(Unanswered, nil, "x"), 1}, {fmt.Errorf("y: %w", failf(CallLost, nil, "x")), 1},
		{failf(Unreachable, nil, "x"), 2}, {errors.New("x"), 2}, {context.Canceled, 2},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}

func TestSplitKey(t *testing.T) {
	for raw, want := range map[string][2]string{
		"http://127.0.0.1:8080/#key=K-_1": {"http://127.0.0.1:8080/", "K-_1"},
		" 127.0.0.1:8080#key=a%2Fb&x=1 ":  {"127.0.0.1:8080", "a/b"},
		"http://127.0.0.1:8080/#turn":     {"http://127.0.0.1:8080/", ""},
		"http://127.0.0.1:8080":           {"http://127.0.0.1:8080", ""},
		"http://127.0.0.1:8080/?key=no#":  {"http://127.0.0.1:8080/?key=no", ""},
		"#key=alone":                      {"", "alone"},
	} {
		if address, key := SplitKey(raw); address != want[0] || key != want[1] {
			t.Errorf("%q: got %q and %q", raw, address, key)
		}
	}
	for _, raw := range []string{"http://:1/#key=canary", "ftp://a/#key=canary", "#key=canary"} {
		if _, err := parseAddress(raw); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got %v", raw, err)
		}
	}
	if o := (Options{URL: "http://a/#key=K"}).withDefaults(); o.URL != "http://a/" || o.Key != "K" {
		t.Errorf("got %q, %q", o.URL, o.Key)
	}
	if o := (Options{URL: "http://a/#key=K", Key: "given"}).withDefaults(); o.Key != "given" {
		t.Errorf("got %q", o.Key)
	}
}

// The stages add up to the wait, whatever is known.
func TestWaterfall(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var line timeline.Timeline
	line.Set(timeline.SpeechEnded, base)
	line.Set(timeline.FirstPacketSent, base.Add(200*ms))
	for name, c := range map[string]struct {
		input string
		spoke time.Duration // before parley's end of speech
		same  bool
		want  string
	}{
		"one clock":      {"audio", 20 * ms, true, "[{end_of_speech 20} {send 200} {network 30}]"},
		"two clocks":     {"audio", 20 * ms, false, "[{send 200} {end_of_speech_and_network 50}]"},
		"heard earlier":  {"audio", -5 * ms, true, "[{send 200} {end_of_speech_and_network 50}]"},
		"heard too late": {"audio", 51 * ms, true, "[{send 200} {end_of_speech_and_network 50}]"},
		"written":        {"text", 1 * ms, true, "[{send 200} {network 50}]"},
	} {
		turn := Turn{Input: c.input, Spoke: base.Add(-c.spoke), Latency: 250 * ms, Timeline: line}
		if got := fmt.Sprint(waterfall(turn, line.Stages(), c.same)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	turn := Turn{Input: "audio", Spoke: base, Latency: 100 * ms, Timeline: line}
	if got := fmt.Sprint(waterfall(turn, line.Stages(), true)); got != "[{send 200}]" {
		t.Errorf("a wait that is shorter: got %s", got)
	}
}
