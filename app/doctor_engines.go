package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"parley/audio"
	"parley/internal/fault"
	"parley/llm"
)

// selfTest is the sentence that the voice says and the recogniser is given. The
// embedded ones understand each other on it, the first time and later.
const selfTest = "Tell me what time it is."

// mostWrong is the share of words that may be misunderstood without remark.
const mostWrong = 0.34

func (r *Report) checkEngines(ctx context.Context, cfg Config) {
	e := startEngines(ctx, cfg, slog.New(slog.DiscardHandler))
	defer e.close()
	var pcm []int16
	if r.started(e, "tts") {
		pcm = r.checkVoice(ctx, e)
	}
	if r.started(e, "stt") {
		r.checkRecogniser(ctx, e, pcm)
	}
	if r.started(e, "llm") {
		r.checkModel(ctx, e)
	}
}

// started tells whether a stage can be tried; where not, it says why.
func (r *Report) started(e *engines, stage string) bool {
	chosen, err := e.choices[stage], e.failed[stage]
	switch {
	case err != nil:
		r.stage(e, stage, fmt.Errorf("it cannot start: %s", reason(err)))
	case chosen.engine != "unassigned":
		return true
	case chosen.lack != "": // parley would rather have had one
		r.add(Check{Part: stage, Level: Broken, Detail: chosen.lack + ": " + chosen.why, Fix: chosen.fix})
	default:
		r.add(Check{Part: stage, Level: Warning, Detail: "none, as " + stage + ".engine says"})
	}
	return false
}

// checkVoice has the voice say the test sentence and returns it at 16 kHz.
func (r *Report) checkVoice(ctx context.Context, e *engines) []int16 {
	started := time.Now()
	var pcm []int16
	var first time.Duration
	rate := 0
	for s, err := range e.tts.Speak(ctx, one(selfTest)) {
		if err != nil {
			r.stage(e, "tts", err)
			return nil
		}
		if len(s.PCM) > 0 && first == 0 {
			first = time.Since(started)
		}
		pcm, rate = append(pcm, s.PCM...), s.Rate
	}
	if len(pcm) == 0 {
		r.stage(e, "tts", errors.New("the voice made no sound"))
		return nil
	}
	r.chosen("tts", e.choices["tts"], fmt.Sprintf("spoke %.1f s, first sound after %s",
		audio.SamplesToDuration(len(pcm), rate).Seconds(), brief(first)))
	if rate == audio.SpeechRate {
		return pcm
	}
	res, err := audio.NewResampler(rate, audio.SpeechRate)
	if err != nil {
		return nil
	}
	return res.Flush(res.Process(nil, pcm))
}

func (r *Report) checkRecogniser(ctx context.Context, e *engines, pcm []int16) {
	if len(pcm) == 0 {
		r.add(Check{Part: "stt", Level: Warning, Detail: e.choices["stt"].engine + ": not tried, for want of a voice to listen to"})
		return
	}
	started := time.Now()
	text := ""
	for t, err := range e.stt.Transcribe(ctx, frames(pcm)) {
		if err != nil {
			r.stage(e, "stt", err)
			return
		}
		text = t.Text
	}
	r.understood(e.choices["stt"], text, time.Since(started))
}

// understood judges what became of the test sentence. Engines that are not the
// embedded ones, and voices of other languages, may well differ a little.
func (r *Report) understood(chosen choice, text string, took time.Duration) {
	said := fmt.Sprintf("understood %q as %q in %s", selfTest, text, brief(took))
	if wordsWrong(selfTest, text) <= mostWrong {
		r.chosen("stt", chosen, said)
		return
	}
	r.add(Check{
		Part: "stt", Level: Warning, Detail: chosen.label() + ": " + said,
		Fix: "it works, but not well with this voice; compare the languages of both, and stt's model",
	})
}

// wordsWrong is the word error rate of what was understood: changed, added and
// missing words for each that was said.
func wordsWrong(said, understood string) float64 {
	words := func(text string) []string {
		return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r != '\'' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	a := words(said)
	return float64(distance(a, words(understood))) / float64(max(1, len(a)))
}

func (r *Report) checkModel(ctx context.Context, e *engines) {
	started := time.Now()
	var said strings.Builder
	for d, err := range e.llm.Reply(ctx, llm.Prompt{Messages: []llm.Message{{Role: llm.User, Text: "Say hello."}}, Now: time.Now(), MaxTokens: 20}) {
		if err != nil {
			r.stage(e, "llm", err)
			return
		}
		said.WriteString(d.Text)
	}
	took := brief(time.Since(started))
	if strings.TrimSpace(said.String()) == "" { // one that thinks first may not have got to it
		c := e.choices["llm"]
		r.add(Check{Part: "llm", Level: Warning, Detail: fmt.Sprintf("%s: answered nothing in %s", c.label(), took), Fix: "try another model, or one that does not think first"})
		return
	}
	r.chosen("llm", e.choices["llm"], fmt.Sprintf("answered in %s", took))
}

// chosen says that a stage works, and with it what is missed by its choice.
func (r *Report) chosen(stage string, c choice, detail string) {
	text := c.label()
	if detail != "" {
		text += ": " + detail
	}
	r.add(Check{Part: stage, Level: Good, Detail: text})
	if c.lack != "" {
		r.add(Check{Part: stage, Level: Warning, Detail: c.lack, Fix: c.fix})
	}
}

func (r *Report) stage(e *engines, stage string, err error) {
	c := e.choices[stage]
	r.add(Check{Part: stage, Level: Broken, Detail: c.label() + ": " + reason(err), Fix: fixFor(err, stage, c)})
}

// label names an engine and why it was taken. Reasons that have brackets of
// their own stand without.
func (c choice) label() string {
	if strings.ContainsAny(c.why, "()") {
		return c.engine + ", since " + c.why
	}
	return c.engine + " (" + c.why + ")"
}

// brief is a duration for a person.
func brief(d time.Duration) string {
	if d < time.Millisecond {
		return "<1 ms"
	}
	return d.Round(time.Millisecond).String()
}

// fixFor is what to do about a stage that failed.
func fixFor(err error, stage string, c choice) string {
	switch fault.KindOf(err) {
	case fault.Unreachable, fault.Stalled:
		return "start the server it should reach, or correct " + cmp.Or(c.address, stage+".openai.base_url")
	case fault.Unauthorized:
		return "set the right " + cmp.Or(c.key, stage+".openai.api_key")
	case fault.RateLimited:
		return "wait, or use another endpoint"
	default:
		return "see the message; 'parley serve --print-config' shows the settings in force"
	}
}

func one(text string) iter.Seq[string] {
	return func(yield func(string) bool) { yield(text) }
}

// frames yields pcm, 16 kHz mono, as voiced frames of 20 ms with silence after them.
func frames(pcm []int16) iter.Seq[audio.Frame] {
	const size = audio.SpeechRate / 50
	pcm = append(append(make([]int16, size*10), pcm...), make([]int16, size*15)...)
	return func(yield func(audio.Frame) bool) {
		for i := 0; i+size <= len(pcm); i += size {
			f := audio.Frame{
				PCM: pcm[i : i+size], Rate: audio.SpeechRate, Activity: audio.Voice,
				Start: audio.SamplesToDuration(i, audio.SpeechRate), Arrived: time.Now(),
			}
			if !yield(f) {
				return
			}
		}
	}
}
