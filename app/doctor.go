package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/llm"
	"parley/media"
)

// doctorTime bounds the whole examination.
const doctorTime = 30 * time.Second

// selfTest is the sentence that the voice says and the recogniser is given.
const selfTest = "What time is it?"

// Doctor tries every part that cfg names, for real, and says what to do about
// what does not work.
func Doctor(ctx context.Context, cfg Config, version string) Report {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	r := Report{Version: version, OK: true}
	r.checkNetwork(cfg)
	r.checkDetector(cfg)
	r.checkEngines(ctx, cfg)
	r.checkStore(ctx, cfg)
	r.checkTools()
	return r
}

func (r *Report) checkNetwork(cfg Config) {
	l, err := net.Listen("tcp", cfg.Listen)
	switch {
	case err == nil:
		l.Close()
		r.add(Check{Part: "listen", Level: Good, Detail: cfg.Listen + " is free"})
	case parleyAnswers(cfg.Listen):
		r.add(Check{Part: "listen", Level: Warning, Detail: "a parley runs at " + cfg.Listen + " already"})
	default:
		r.verdict("listen", "", err, "choose another address with --listen, or end what uses this one")
	}
	switch {
	case cfg.Loopback():
		r.add(Check{Part: "access", Level: Good, Detail: "only this machine can reach it; no key is needed"})
	case cfg.Key == "":
		r.add(Check{Part: "access", Level: Warning, Detail: "others can reach it and no key is set; each start makes one up", Fix: "set PARLEY_KEY"})
	default:
		r.add(Check{Part: "access", Level: Good, Detail: "others can reach it; a key is asked for"})
	}
	edge, err := newEdge(cfg, media.Options{})
	detail := "calls can be received"
	if err == nil {
		detail = "calls can be received on " + portsOf(edge)
		err = edge.Close()
	}
	r.verdict("media", detail, err, "set media.udp_address and media.tcp_address to free ports")
}

// parleyAnswers tells whether a parley serves at addr.
func parleyAnswers(addr string) bool {
	client := http.Client{Timeout: time.Second}
	res, err := client.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (r *Report) checkDetector(cfg Config) {
	model, why := loadSilero(cfg)
	switch {
	case model != nil:
		r.add(Check{Part: "vad", Level: Good, Detail: "Silero"})
	case cfg.VAD.Engine == "silero":
		r.verdict("vad", "", errors.New(why), "run scripts/setup.sh, or set models to the directory that has "+weights)
	case cfg.VAD.Engine == "energy":
		r.add(Check{Part: "vad", Level: Good, Detail: "energy detector, as vad.engine says"})
	default:
		r.add(Check{Part: "vad", Level: Warning, Detail: "energy detector, because " + why, Fix: "run scripts/setup.sh: Silero tells speech from noise far better"})
	}
}

func (r *Report) checkEngines(ctx context.Context, cfg Config) {
	e, err := newEngines(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		r.verdict("engines", "", err, fixFor(err, ""))
		return
	}
	defer e.close()
	pcm := r.checkVoice(ctx, e)
	r.checkRecogniser(ctx, e, pcm)
	r.checkModel(ctx, e)
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
	r.good(e, "tts", fmt.Sprintf("spoke %.1f s, first sound after %s",
		audio.SamplesToDuration(len(pcm), rate).Seconds(), first.Round(time.Millisecond)))
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
	if len(pcm) == 0 && e.choices["stt"].engine != "unassigned" {
		r.add(Check{Part: "stt", Level: Warning, Detail: e.choices["stt"].engine + ": not tried, for want of a voice to listen to"})
		return
	}
	started := time.Now()
	for t, err := range e.stt.Transcribe(ctx, frames(pcm)) {
		if err != nil {
			r.stage(e, "stt", err)
			return
		}
		if t.Final {
			r.good(e, "stt", fmt.Sprintf("understood %q as %q in %s", selfTest, t.Text, time.Since(started).Round(time.Millisecond)))
		}
	}
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
	r.good(e, "llm", fmt.Sprintf("answered in %s", time.Since(started).Round(time.Millisecond)))
	if e.choices["llm"].engine == "builtin" {
		r.add(Check{Part: "llm", Level: Warning, Detail: "the built-in assistant knows a few things and no more",
			Fix: "start Ollama, or set OPENAI_API_KEY, or llm.openai.base_url"})
	}
}

func (r *Report) good(e *engines, stage, detail string) {
	c := e.choices[stage]
	r.add(Check{Part: stage, Level: Good, Detail: fmt.Sprintf("%s (%s): %s", c.engine, c.why, detail)})
}

func (r *Report) stage(e *engines, stage string, err error) {
	c := e.choices[stage]
	r.add(Check{Part: stage, Level: Broken, Detail: fmt.Sprintf("%s (%s): %v", c.engine, c.why, err), Fix: fixFor(err, stage)})
	r.OK = false
}

// fixFor is what to do about a stage that failed.
func fixFor(err error, stage string) string {
	switch fault.KindOf(err) {
	case fault.Unreachable, fault.Stalled:
		return "start the server it should reach, or correct " + stage + ".openai.base_url"
	case fault.Unauthorized:
		return "set the right " + stage + ".openai.api_key"
	case fault.RateLimited:
		return "wait, or use another endpoint"
	default:
		return "see the message; 'parley serve --print-config' shows the settings in force"
	}
}

func (r *Report) checkStore(ctx context.Context, cfg Config) {
	if cfg.Store.Engine == "none" {
		r.add(Check{Part: "store", Level: Warning, Detail: "calls are not remembered, as store.engine says"})
		return
	}
	db, err := openStore(ctx, cfg)
	if err == nil {
		_, err = db.Calls(ctx, time.Time{}, 1)
		err = errors.Join(err, db.Close())
	}
	r.verdict("store", cfg.StorePath(), err, "make the directory writable, or set store.path")
}

func (r *Report) checkTools() {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		r.add(Check{Part: "espeak", Level: Warning, Detail: "espeak-ng is missing; languages other than English have no embedded voice", Fix: "apt-get install espeak-ng"})
		return
	}
	r.add(Check{Part: "espeak", Level: Good, Detail: "installed, for languages other than English (tts.engine=espeak)"})
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
