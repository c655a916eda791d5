package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"parley/audio"
	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/stt"
)

const (
	op = "stt/openai: transcribe"
	// retryAfter is the pause before another attempt.
	retryAfter = 150 * time.Millisecond
	// Whisper's own rule for silence: likelier than noSpeech to be none, and
	// text less likely than unsure (mean log probability of its tokens).
	noSpeech = 0.6
	unsure   = -1.0
)

// ask sends pcm (16 kHz mono) and returns what was understood.
func (e *Engine) ask(parent context.Context, pcm []int16) (stt.Transcript, error) {
	var wav bytes.Buffer
	if err := audio.WriteWAV(&wav, pcm, audio.SpeechRate); err != nil {
		return stt.Transcript{}, fmt.Errorf("stt/openai: write wav: %w", err)
	}
	ctx, cancel := context.WithTimeout(parent, e.cfg.Timeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		e.sent.Add(1)
		start := time.Now()
		answer, err := e.client.CreateTranscription(ctx, e.form(wav.Bytes()))
		if err == nil {
			tr := e.read(answer)
			e.log.Debug("transcribed", "audio", audio.SamplesToDuration(len(pcm), audio.SpeechRate), "took", time.Since(start))
			return tr, nil
		}
		if parent.Err() != nil {
			return stt.Transcript{}, parent.Err()
		}
		err = classify(err)
		if attempt >= e.cfg.Retries || !worthRetrying(err) || !pause(ctx, retryAfter) {
			return stt.Transcript{}, err
		}
		e.retried.Add(1)
		e.log.Warn("transcription failed; trying again", "error", err)
	}
}

func (e *Engine) form(wav []byte) openai.AudioRequest {
	language, _, _ := strings.Cut(e.cfg.Language, "-")
	r := openai.AudioRequest{
		Model: e.cfg.Model, FilePath: "speech.wav", Reader: bytes.NewReader(wav),
		Prompt: e.cfg.Prompt, Temperature: float32(e.cfg.Temperature),
		Language: strings.ToLower(language), Format: openai.AudioResponseFormatJSON,
	}
	if e.cfg.Verbose {
		r.Format = openai.AudioResponseFormatVerboseJSON
	}
	return r
}

// read makes a transcript of an answer. Without segments the confidence is 0.
func (e *Engine) read(answer openai.AudioResponse) stt.Transcript {
	tr := stt.Transcript{Final: true, Language: e.cfg.Language}
	if len(answer.Segments) == 0 {
		tr.Text = spoken(answer.Text)
		return tr
	}
	var text strings.Builder
	sum, length := 0.0, 0.0
	for _, s := range answer.Segments {
		if s.NoSpeechProb > noSpeech && s.AvgLogprob < unsure {
			continue
		}
		text.WriteString(" " + s.Text)
		d := max(s.End-s.Start, 0.01)
		sum, length = sum+d*s.AvgLogprob, length+d
	}
	if tr.Text = spoken(text.String()); tr.Text != "" && length > 0 {
		tr.Confidence = min(1, math.Exp(sum/length))
	}
	return tr
}

// annotation matches what recognisers write beside words: [BLANK_AUDIO], [ Silence ].
var annotation = regexp.MustCompile(`\[[^\[\]]*\]`)

// aside matches whole texts without words: (silence), *coughs*, ♪ ♪.
var aside = regexp.MustCompile(`^(\s|\([^()]*\)|\*[^*]*\*|♪[^♪]*♪?|[.,!?…\-–—])*$`)

// spoken strips what is not speech from text, and its superfluous spaces.
func spoken(text string) string {
	text = annotation.ReplaceAllString(text, " ")
	if aside.MatchString(text) {
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}

// classify is endpoint.Classify, without the request's URL around faults found
// by inspector.
func classify(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	return endpoint.Classify(op, err)
}

func worthRetrying(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Failed && !errors.Is(err, errNoText) || k == fault.Unreachable
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// errNoText is an answer with a good status that is no transcript. Some servers
// report their errors so, which the client would read as silence.
var errNoText = errors.New("the answer holds no text")

// inspector makes errNoText of answers that lack a text.
type inspector struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (i *inspector) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := i.next.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	var answer struct{ Text *string }
	if json.Unmarshal(body, &answer) != nil || answer.Text == nil {
		return nil, fault.New(fault.Failed, op, errNoText)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (i *inspector) CloseIdleConnections() {
	if c, ok := i.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
