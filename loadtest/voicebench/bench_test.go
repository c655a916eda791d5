package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/audio"
)

const speech = "../../testdata/speech/brooklyn-bridge.wav"

// The question must end where every detector agrees; other phases need not.
func TestQuestionEndsClearly(t *testing.T) {
	clip, err := question(speech, phaseAgreed)
	if err != nil {
		t.Fatal(err)
	}
	if clear, err := endsClearly(clip); !clear || err != nil {
		t.Errorf("clear %v, %v", clear, err)
	}
	if _, to := clip.Speech(); to != clip.Duration() {
		t.Errorf("speech ends at %v of %v", to, clip.Duration())
	}
	for _, at := range []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond} {
		if _, err := question(speech, at); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
	if _, err := question("none.wav", 0); err == nil {
		t.Error("no file: no error")
	}
}

// The echo answers its silence after the last packet with speech: the floor is
// what it claims to be.
func TestEcho(t *testing.T) {
	defer goleak.VerifyNone(t)
	addr, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan error, 1)
	go func() { ended <- serveEcho(ctx, addr) }()
	c := &child{url: "http://" + addr, pid: os.Getpid()}
	if err := c.awaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	clip, err := question(speech, phaseAgreed)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := dial(ctx, options(c, true))
	if err != nil {
		t.Fatal(err)
	}
	turn, err := caller.Say(ctx, clip)
	if err != nil || turn.Latency < silenceMS*time.Millisecond {
		t.Errorf("answered after %v, %v", turn.Latency, err)
	}
	if short := echoTone - 2*audio.FrameDuration; turn.ReplyLength < short {
		t.Errorf("the tone lasted %v", turn.ReplyLength)
	}
	caller.Hangup()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStartSaysWhy(t *testing.T) {
	if _, err := start(t.Context(), "127.0.0.1:1", "/nonexistent/parley"); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v", err)
	}
	_, err := start(t.Context(), "127.0.0.1:1", "/bin/sh", "-c", "echo no such setting >&2; exit 1")
	if err == nil || !strings.Contains(err.Error(), "no such setting") {
		t.Errorf("got %v", err)
	}
}

func TestProcess(t *testing.T) {
	pid := os.Getpid()
	if d, err := cpuTime(pid); err != nil || d <= 0 {
		t.Errorf("CPU %v, %v", d, err)
	}
	if _, err := cpuTicks(pid); err != nil {
		t.Error(err)
	}
	if kib, err := residentKiB(pid); err != nil || kib < 1000 {
		t.Errorf("%d KiB, %v", kib, err)
	}
	if _, err := residentKiB(-1); err == nil {
		t.Error("no process: no error")
	}
}

func TestConfigIsQuoted(t *testing.T) {
	got := serverConfig{listen: "127.0.0.1:1", data: "/tmp/a b", vad: "energy", reply: []string{`a "b"`, "c"}}.yaml()
	for _, want := range []string{`data: "/tmp/a b"`, `replies: ["a \"b\"", "c"]`, "vad: {engine: energy}", "silence: 200ms"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s:\n%s", want, got)
		}
	}
}

func sampleResult() result {
	loads := func(cpu float64, one, all int) []load {
		return []load{{calls: 1, cpu: []float64{cpu}, rssKiB: one}, {calls: 50, cpu: []float64{cpu}, rssKiB: all}}
	}
	return result{
		ready: []float64{40}, echoWait: []float64{201}, parleyWait: []float64{202}, framework: []float64{1}, apart: []float64{0.2},
		decision: []float64{-17}, cuts: 1, echoLoad: loads(1, 1024, 2048), parleyLoad: loads(2, 1024, 101*1024),
		energyLoad: loads(1.6, 0, 0)[1:], parleyIdle: 1024, plan: fullPlan(),
	}
}

// A goal is met only by a figure that says something about it.
func TestVerdicts(t *testing.T) {
	find := func(r result, what string) string {
		for line := range strings.Lines(r.table()) {
			if strings.HasPrefix(line, what) {
				return strings.TrimSpace(line)
			}
		}
		t.Fatalf("no line %q in:\n%s", what, r.table())
		return ""
	}
	for _, c := range []struct {
		line, want string
		change     func(*result)
	}{
		{"voice to voice, median", "met", func(*result) {}},
		{"voice to voice, median", "MISSED", func(r *result) { r.parleyWait[0] = 207 }},
		{"voice to voice, median", "NOT COMPARABLE: the ends of speech differ", func(r *result) { r.apart[0], r.parleyWait[0] = -20, 181 }},
		{"voice to voice, median", "NOT COMPARABLE: the ends of speech differ", func(r *result) { r.apart = nil }},
		{"framework share, median", "MISSED", func(r *result) { r.framework = nil }},
		{"interruption: decision to last packet, median", "MISSED", func(r *result) { r.decision = nil }},
		{"  without it, and the ratio", "MISSED", func(*result) {}},
		{"  without it, and the ratio", "met", func(r *result) { r.energyLoad[0].cpu[0] = 1.5 }},
		{"memory per further call", "MISSED", func(*result) {}},
		{"memory with one call", "met", func(*result) {}},
		{"memory with one call", "MISSED", func(r *result) { r.parleyIdle = 101 * 1024 }},
	} {
		r := sampleResult()
		c.change(&r)
		if got := find(r, c.line); !strings.HasSuffix(got, c.want) {
			t.Errorf("got %q, want %s", got, c.want)
		}
	}
}

func TestBenchLines(t *testing.T) {
	r := sampleResult()
	got := r.benchLines()
	for _, want := range []string{
		"BenchmarkVoiceToVoice/server=parley 1 202.000 p50-ms 202.000 p95-ms\n",
		"BenchmarkLoad/server=parley/vad=energy/calls=50 1 1.6000 cpu-s/call-min 0 rss-KiB\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}
