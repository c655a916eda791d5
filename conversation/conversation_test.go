package conversation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/internal/timeline"
	"parley/llm"
	"parley/media/vad"
	"parley/stt"
	"parley/tts"
)

// loud is a detector for tests: a frame with sound is speech, one without is
// silence, and silence ends a turn after the time it was told.
type loud struct {
	silence  time.Duration
	speaking bool
	last     time.Duration
	arrived  time.Time
}

func (d *loud) Tune(_ float64, silence time.Duration) { d.silence = silence }

func (d *loud) Observe(f audio.Frame) (vad.Event, bool) {
	voiced := f.PCM[0] != 0
	if voiced {
		d.last, d.arrived = f.End(), f.Arrived
	}
	switch {
	case voiced && !d.speaking:
		d.speaking = true
		return vad.Event{Kind: vad.SpeechStarted, At: f.Start, Arrived: f.Arrived}, true
	case !voiced && d.speaking && f.End()-d.last >= d.silence:
		d.speaking = false
		return vad.Event{Kind: vad.SpeechEnded, At: d.last, Arrived: d.arrived}, true
	}
	return vad.Event{}, false
}

// paced is a speaker that plays at the pace of real time, without RTP.
type paced struct {
	mu     sync.Mutex
	played []*pacedPlayback
}

type pacedPlayback struct {
	onFirst func(time.Time)
	mu      sync.Mutex
	sent    time.Duration
	stopped chan struct{}
	once    sync.Once
}

func (p *paced) Start(onFirst func(time.Time)) Playback {
	pb := &pacedPlayback{onFirst: onFirst, stopped: make(chan struct{})}
	p.mu.Lock()
	p.played = append(p.played, pb)
	p.mu.Unlock()
	return pb
}

func (p *pacedPlayback) Write(ctx context.Context, pcm []int16, rate int) error {
	select {
	case <-p.stopped:
		return errors.New("stopped")
	default:
	}
	if p.Played().Sent == 0 {
		p.onFirst(time.Now())
	}
	d := audio.SamplesToDuration(len(pcm), rate)
	select {
	case <-time.After(d):
	case <-p.stopped:
		return errors.New("stopped")
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	p.sent += d
	p.mu.Unlock()
	return nil
}

func (p *pacedPlayback) Drain(context.Context) error { return nil }
func (p *pacedPlayback) Stop() Played                { p.once.Do(func() { close(p.stopped) }); return p.Played() }
func (p *pacedPlayback) Played() Played {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Played{Sent: p.sent, Heard: p.sent}
}

// echoSTT understands every utterance as how many frames it had.
func echoSTT(_ context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	return func(yield func(stt.Transcript, error) bool) {
		n := 0
		for range speech {
			n++
		}
		yield(stt.Transcript{Text: fmt.Sprintf("%d frames", n), Final: true}, nil)
	}
}

func says(text string) llm.Func {
	return func(context.Context, llm.Prompt) iter.Seq2[llm.Delta, error] {
		return func(yield func(llm.Delta, error) bool) {
			for _, w := range strings.SplitAfter(text, " ") {
				if !yield(llm.Delta{Text: w}, nil) {
					return
				}
			}
		}
	}
}

// tone speaks each word as 200 ms of sound at 16 kHz, with word times.
func tone(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	return func(yield func(tts.Speech, error) bool) {
		var at time.Duration
		for clause := range text {
			name := clause
			for _, w := range strings.Fields(clause) {
				s := tts.Speech{PCM: make([]int16, 3200), Rate: 16000, Clause: name,
					Words: []tts.Word{{Text: w, Start: at, End: at + 200*time.Millisecond}}}
				at, name = at+200*time.Millisecond, ""
				if ctx.Err() != nil || !yield(s, nil) {
					return
				}
			}
		}
	}
}

// bench is a conversation under test, in fake time.
type bench struct {
	*Conversation
	speaker *paced
	mu      sync.Mutex
	events  []Envelope
	media   time.Duration
}

func start(t *testing.T, s Session, p Parts) *bench {
	t.Helper()
	b := &bench{speaker: &paced{}}
	p.Detector = &loud{}
	if p.Transcriber == nil {
		p.Transcriber = stt.Func(echoSTT)
	}
	if p.Model == nil {
		p.Model = says("One two three. Four five six seven eight nine ten.")
	}
	if p.Voice == nil {
		p.Voice = tts.Func(tone)
	}
	p.Events = func(e Envelope) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, e)
	}
	b.Conversation = New(Options{Call: "c", Session: s}, p)
	b.UseSpeaker(b.speaker)
	go b.Run(context.Background())
	return b
}

// say feeds frames of 20 ms, loud or silent, at the pace of real time.
func (b *bench) say(voiced bool, d time.Duration) {
	pcm := make([]int16, 320)
	if voiced {
		for i := range pcm {
			pcm[i] = 8000
		}
	}
	for ; d > 0; d -= audio.FrameDuration {
		b.Hear(audio.Frame{PCM: pcm, Rate: 16000, Start: b.media, Arrived: time.Now()})
		b.media += audio.FrameDuration
		time.Sleep(audio.FrameDuration)
	}
}

func (b *bench) finish(t *testing.T) []Envelope {
	t.Helper()
	b.HangUp("test")
	<-b.Done()
	for i, e := range b.events {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has sequence number %d", i+1, e.Seq)
		}
	}
	return b.events
}

func find[E Event](events []Envelope) (found []E) {
	for _, e := range events {
		if v, ok := e.Event.(E); ok {
			found = append(found, v)
		}
	}
	return found
}

func TestTurnHandsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := DefaultSession()
		s.Silence = 200 * time.Millisecond
		b := start(t, s, Parts{})
		b.say(false, 500*time.Millisecond)
		b.say(true, time.Second)
		b.say(false, 4*time.Second)
		events := b.finish(t)

		ended := find[TurnEnded](events)
		if len(ended) != 1 {
			t.Fatalf("turns: %+v", ended)
		}
		turn := ended[0]
		if turn.Status != Completed || turn.User != "85 frames" || turn.Heard != "One two three. Four five six seven eight nine ten." {
			t.Errorf("turn: %+v", turn)
		}
		var sum time.Duration
		for _, st := range turn.Timeline.Stages() {
			sum += st.Duration
			if st.Name == "endpointing" && st.Duration != 200*time.Millisecond {
				t.Errorf("endpointing took %v", st.Duration)
			}
		}
		if response, _ := turn.Timeline.ResponseTime(); response != 200*time.Millisecond || sum != response {
			t.Errorf("response time %v, stages add up to %v", response, sum)
		}
		for m := timeline.SpeechStarted; m <= timeline.FirstPacketSent; m++ {
			if _, ok := turn.Timeline.At(m); !ok {
				t.Errorf("no mark %v", m)
			}
		}
	})
}

func TestBargeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, DefaultSession(), Parts{})
		b.say(true, time.Second)
		b.say(false, 500*time.Millisecond+1000*time.Millisecond) // 1.0 s of the reply
		b.say(true, 600*time.Millisecond)
		b.say(false, 600*time.Millisecond)
		events := b.finish(t)
		replies := find[ReplyEnded](events)
		if len(replies) != 2 || replies[0].Status != Cancelled || replies[0].Reason != "turn_detected" {
			t.Fatalf("replies: %+v", replies)
		}
		if got := replies[0].Heard; got != "One two three. Four" && got != "One two three. Four five" {
			t.Errorf("heard %q", got)
		}
		prompt := b.state.history
		if prompt[1].Role != llm.Assistant || prompt[1].Text != replies[0].Heard {
			t.Errorf("history: %+v", prompt)
		}
		started, stopped := find[SpeechStarted](events), find[PlaybackStopped](events)
		if len(started) != 2 || !stopped[0].Flushed {
			t.Fatalf("started %+v, stopped %+v", started, stopped)
		}
		if at := func(match func(Event) bool) time.Time {
			for _, e := range events {
				if match(e.Event) {
					return e.At
				}
			}
			return time.Time{}
		}; at(func(e Event) bool { s, ok := e.(SpeechStarted); return ok && s.Turn == 2 }) !=
			at(func(e Event) bool { s, ok := e.(PlaybackStopped); return ok && s.Reply == 1 }) {
			t.Error("the reply did not stop at the instant the caller began to speak")
		}
	})
}

func TestCoughDoesNotSilenceTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		deaf := func(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
			calls++
			if calls == 1 {
				return echoSTT(ctx, speech)
			}
			return func(yield func(stt.Transcript, error) bool) {
				for range speech {
				}
				yield(stt.Transcript{Final: true}, nil)
			}
		}
		b := start(t, DefaultSession(), Parts{Transcriber: stt.Func(deaf)})
		b.say(true, time.Second)
		b.say(false, 1500*time.Millisecond)
		b.say(true, 100*time.Millisecond)
		b.say(false, 4*time.Second)
		events := b.finish(t)
		var said []string
		for _, r := range find[ReplyEnded](events) {
			said = append(said, r.Heard)
		}
		if got := strings.Join(said, " "); got != "One two three. Four five six seven eight nine ten." || len(said) != 2 {
			t.Errorf("heard %q", said)
		}
	})
}

func TestPushToTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := DefaultSession()
		s.Mode = PushToTalk
		b := start(t, s, Parts{})
		b.say(false, time.Second)
		b.Send(Press{})
		synctest.Wait()
		b.say(true, time.Second)
		b.Send(Release{})
		synctest.Wait()
		b.say(true, 40*time.Millisecond) // its end is still on the way
		b.say(false, 4*time.Second)
		b.Send(Press{}) // no more packets: the tail ends by itself
		time.Sleep(10 * time.Millisecond)
		b.Send(Release{})
		time.Sleep(5 * time.Second)
		events := b.finish(t)
		turns := find[TurnEnded](events)
		if len(turns) != 2 {
			t.Fatalf("turns: %+v", turns)
		}
		if turns[0].User != "78 frames" { // 25 pre-roll, 50 held, 2 of tail, 1 silent that ended it
			t.Errorf("first turn: %+v", turns[0])
		}
		for i, limit := range []time.Duration{60 * time.Millisecond, 100 * time.Millisecond} {
			if got := turns[i].Timeline.Stages()[0].Duration; got > limit {
				t.Errorf("turn %d: the tail took %v", i+1, got)
			}
		}
	})
}

func TestStageFailures(t *testing.T) {
	broken := func(kind fault.Kind) error { return fault.New(kind, "test", nil) }
	half := llm.Func(func(context.Context, llm.Prompt) iter.Seq2[llm.Delta, error] {
		return func(yield func(llm.Delta, error) bool) {
			if yield(llm.Delta{Text: "Half an answer "}, nil) {
				yield(llm.Delta{}, broken(fault.Stalled))
			}
		}
	})
	tests := []struct {
		name   string
		parts  Parts
		stage  Stage
		kind   fault.Kind
		spoken string
	}{
		{"no recogniser", Parts{Transcriber: stt.Func(func(context.Context, iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
			return func(yield func(stt.Transcript, error) bool) { yield(stt.Transcript{}, broken(fault.Unreachable)) }
		})}, StageSTT, fault.Unreachable, "cannot reach the part of me that listens"},
		{"deaf recogniser", Parts{Transcriber: stt.Func(func(ctx context.Context, _ iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
			return func(yield func(stt.Transcript, error) bool) { <-ctx.Done(); yield(stt.Transcript{}, ctx.Err()) }
		})}, StageSTT, fault.Stalled, "took too long"},
		{"no model", Parts{Model: llm.Func(func(context.Context, llm.Prompt) iter.Seq2[llm.Delta, error] {
			return func(yield func(llm.Delta, error) bool) { yield(llm.Delta{}, broken(fault.Unauthorized)) }
		})}, StageLLM, fault.Unauthorized, "refused access"},
		{"silent model", Parts{Model: says("")}, StageLLM, fault.Failed, "something went wrong"},
		{"model stalls", Parts{Model: half}, StageLLM, fault.Stalled, lostThread},
		{"no voice", Parts{Voice: tts.Func(func(context.Context, iter.Seq[string]) iter.Seq2[tts.Speech, error] {
			return func(yield func(tts.Speech, error) bool) { yield(tts.Speech{}, broken(fault.RateLimited)) }
		})}, StageTTS, fault.RateLimited, "too many people"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, DefaultSession(), tt.parts)
				for range 2 { // the call goes on
					b.say(true, time.Second)
					b.say(false, 25*time.Second)
				}
				events := b.finish(t)
				failures, turns := find[StageFailed](events), find[TurnEnded](events)
				if len(failures) != 2 || len(turns) != 2 {
					t.Fatalf("failures %+v, turns %+v", failures, turns)
				}
				f := failures[0]
				if f.Stage != tt.stage || f.Kind != tt.kind || !strings.Contains(f.Spoken, tt.spoken) {
					t.Errorf("got %+v", f)
				}
				if turns[0].Status != Failed {
					t.Errorf("turn: %+v", turns[0])
				}
				if tt.stage != StageTTS && !strings.Contains(turns[0].Heard, tt.spoken) {
					t.Errorf("the caller heard %q", turns[0].Heard)
				}
			})
		})
	}
}

func TestTimerRingsInTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llm.Func(func(context.Context, llm.Prompt) iter.Seq2[llm.Delta, error] {
			return func(yield func(llm.Delta, error) bool) {
				_ = yield(llm.Delta{Action: &llm.Action{Name: llm.ActionSetTimer, Args: []byte(`{"seconds":10,"label":"tea"}`)}}, nil) &&
					yield(llm.Delta{Text: "It is set."}, nil)
			}
		})
		b := start(t, DefaultSession(), Parts{Model: model})
		b.Send(AddText{Text: "tea, ten seconds"})
		b.Send(CreateReply{})
		time.Sleep(30 * time.Second)
		events := b.finish(t)
		turns := find[TurnEnded](events)
		if len(turns) != 2 || turns[1].Input != "timer" || turns[1].Heard != "Your tea timer is done." {
			t.Fatalf("turns: %+v", turns)
		}
		if n := len(find[TimerRang](events)); n != 1 {
			t.Errorf("rang %d times", n)
		}
	})
}

// A loop that does not run holds nobody up, and what it misses is counted.
func TestHearNeverWaits(t *testing.T) {
	c := New(Options{}, Parts{Detector: &loud{}})
	for i := range 2 * (heardQueue + 7) { // sound and silence in turn: each frame is news
		c.Hear(audio.Frame{PCM: []int16{int16(1 - i%2)}, Rate: 16000, Start: time.Duration(i) * 20 * time.Millisecond})
	}
	if n := c.dropped.Load(); n != heardQueue+14 || len(c.heard) != heardQueue {
		t.Errorf("dropped %d, kept %d", n, len(c.heard))
	}
}

func BenchmarkHear(b *testing.B) {
	c := New(Options{}, Parts{Detector: &loud{silence: time.Second}})
	f := audio.Frame{PCM: make([]int16, 320), Rate: 16000}
	b.ReportAllocs()
	for b.Loop() {
		c.Hear(f)
	}
}
