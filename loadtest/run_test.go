package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/audio"
	"parley/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// sampleReport has a turn of every kind.
func sampleReport() Report {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var line timeline.Timeline
	for mark, at := range map[timeline.Mark]time.Duration{
		timeline.SpeechEnded: 0, timeline.EndpointDecided: 200 * ms, timeline.STTFinal: 180 * ms, timeline.LLMFirstToken: 380 * ms,
		timeline.LLMFirstClause: 381 * ms, timeline.TTSFirstAudio: 460 * ms, timeline.FirstPacketSent: 460*ms + 300*time.Microsecond,
	} {
		line.Set(mark, base.Add(at))
	}
	r := Report{URL: "http://127.0.0.1:8080", Call: "call_1", ConnectMS: 38.25}
	for i, turn := range []Turn{
		{
			Input: "audio", Said: "question.wav", Transcript: "what time is it", Reply: "It is <four>.", Heard: "It is four.", Answered: true,
			Status: "completed", Latency: 465 * ms, FirstPacket: 465 * ms, ReplyLength: 1800 * ms, Timeline: line,
			Spoke: base.Add(-3 * ms),
		},
		{Input: "text", Said: "hello", Transcript: "hello", Reply: "Hi!", Answered: true, Latency: 12 * ms, Notices: []string{"The voice was slow."}},
		{Input: "push_to_talk", Said: "mumble.wav", Reason: "parley did not notice any speech."},
	} {
		r.Turns = append(r.Turns, newTurnReport(i+1, turn, true))
	}
	r.Turns[0].HeardFile = "answers/answer-01.wav"
	r.conclude(failf(Unanswered, nil, "1 of 3 turns went unanswered."))
	return r
}

func TestReportGolden(t *testing.T) {
	r := sampleReport()
	var text, doc bytes.Buffer
	for _, turn := range r.Turns {
		text.WriteString(turn.text())
	}
	text.WriteString(r.summary())
	golden(t, "call.txt", text.Bytes())
	if err := writeJSON(&doc, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "call.json", doc.Bytes())
}

// The stages shown add up to the wait.
func TestWaterfallAddsUp(t *testing.T) {
	for _, turn := range sampleReport().Turns {
		sum := 0.0
		for _, s := range turn.Stages {
			sum += s.MS
		}
		if len(turn.Stages) > 0 && (sum < turn.LatencyMS-0.01 || sum > turn.LatencyMS+0.01) {
			t.Errorf("turn %d: stages add up to %v of %v ms", turn.Turn, sum, turn.LatencyMS)
		}
	}
}

// runCall runs a call in fake time with the bot.
func runCall(t *testing.T, b *bot, o CallOptions) (stdout, stderr string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var a air
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		hangup := a.connect(ctx, b, &o.Caller)
		o.URL = o.Caller.URL
		var out, progress strings.Builder
		err = RunCall(ctx, o, &out, &progress)
		stdout, stderr = out.String(), progress.String()
		cancel()
		hangup()
	})
	return stdout, stderr, err
}

const brooklyn = "../testdata/speech/brooklyn-bridge.wav"

func TestRunCall(t *testing.T) {
	save := filepath.Join(t.TempDir(), "answers")
	stdout, stderr, err := runCall(t, answering(), CallOptions{Audio: []string{brooklyn}, Text: []string{"hello"}, Save: save})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1   brooklyn-bridge.wav\n", "you     what time is it", "parley  It is four.", "from the last word", "endpointing", "2   hello\n", "2 turns, 2 answered"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	for _, want := range []string{"calling http://bot", "connected in", "saying brooklyn-bridge.wav (1.8 s)", "writing “hello”"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
	for _, name := range []string{"answer-01.wav", "answer-02.wav"} {
		f, err := os.Open(filepath.Join(save, name))
		if err != nil {
			t.Fatal(err)
		}
		pcm, rate, err := audio.ReadWAV(f)
		f.Close()
		if err != nil || rate != wireRate || audio.DBFS(audio.RMS(pcm)) < -30 {
			t.Errorf("%s: %d samples at %d Hz, %v", name, len(pcm), rate, err)
		}
	}
}

func TestRunCallJSON(t *testing.T) {
	b := answering()
	b.failing = true
	stdout, _, err := runCall(t, b, CallOptions{Audio: []string{brooklyn, brooklyn}, JSON: true})
	if ClassOf(err) != Unanswered || err.Error() != "2 of 2 turns went unanswered." {
		t.Errorf("got %v", err)
	}
	var r Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("stdout is not one document: %v\n%s", err, stdout)
	}
	if len(r.Turns) != 2 || r.Unanswered != 2 || r.Answered != 0 || r.Call != "call_1" || r.Error == nil || r.Error.Class != Unanswered {
		t.Errorf("got %+v", r)
	}
	if r.Turns[0].Reason != "The language model is down." || r.Turns[0].Transcript != "what time is it" {
		t.Errorf("turn: %+v", r.Turns[0])
	}
}

func TestRunCallEndsWithALostCall(t *testing.T) {
	b := answering()
	b.hangs = true
	stdout, _, err := runCall(t, b, CallOptions{Audio: []string{brooklyn, brooklyn}})
	if ClassOf(err) != CallLost || strings.Count(stdout, "NO ANSWER") != 1 || !strings.Contains(stdout, "1 turn, 0 answered") {
		t.Errorf("got %v:\n%s", err, stdout)
	}
}

func TestRunCallBadUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(os.WriteFile(file, nil, 0o600))
	for _, c := range []struct {
		o     CallOptions
		class Class
	}{
		{CallOptions{URL: "http://127.0.0.1:1"}, BadUsage},
		{CallOptions{URL: "http://127.0.0.1:1", Audio: []string{"none.wav"}}, BadAudio},
		{CallOptions{URL: "http://127.0.0.1:1", Audio: []string{brooklyn}, Save: file}, BadUsage},
		{CallOptions{URL: "", Audio: []string{brooklyn}}, BadUsage},
		{CallOptions{URL: "http://127.0.0.1:1", Text: []string{"hello"}, JSON: true}, Unreachable},
	} {
		var stdout, stderr bytes.Buffer
		err := RunCall(t.Context(), c.o, &stdout, &stderr)
		if ClassOf(err) != c.class || ExitCode(err) != 2 {
			t.Errorf("%+v: got %v", c.o, err)
		}
		if c.o.JSON {
			var r Report
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || r.Error == nil || r.Error.Class != c.class {
				t.Errorf("document: %v\n%s", err, stdout.Bytes())
			}
		} else if stdout.Len() > 0 {
			t.Errorf("stdout: %s", stdout.Bytes())
		}
	}
}
