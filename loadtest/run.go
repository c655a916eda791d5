package loadtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/audio"
)

const (
	dialTimeout = 15 * time.Second
	// lead is how long the microphone is open before the first word.
	lead = 300 * time.Millisecond
)

// CallOptions are what `parley call` is told.
type CallOptions struct {
	URL        string
	Key        string
	Insecure   bool          // accept any TLS certificate
	Audio      []string      // WAV files to say, in order
	Text       []string      // messages to write, after those
	PushToTalk bool          // hold the talk button while a file plays
	DTX        bool          // send nothing in silence
	Pause      time.Duration // between an answer's end and the next question; 0 is 1 s
	Timeout    time.Duration // for an answer to begin; 0 is 15 s
	Save       string        // directory to save what was heard in, as WAV; "" saves nothing
	JSON       bool          // one JSON document on stdout instead of text

	// Caller is what the options above do not cover, such as a network of its own.
	Caller Options
}

func (o CallOptions) options() Options {
	c := o.Caller
	c.URL, c.Key, c.Insecure, c.PushToTalk, c.DTX = o.URL, o.Key, o.Insecure, o.PushToTalk, o.DTX
	c.AnswerTimeout, c.Record = o.Timeout, o.Save != ""
	return c
}

// RunCall makes a call, says and writes what it is told, waits for every
// answer and reports: results on stdout, progress on stderr. The error is of
// class Unanswered where the call was fine and a turn was not; ExitCode maps
// all of them. It does not print the error, except into the JSON document.
func RunCall(ctx context.Context, o CallOptions, stdout, stderr io.Writer) error {
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	address, key := SplitKey(o.URL)
	o.URL, o.Key = address, cmp.Or(o.Key, key)
	r := &run{o: o, stdout: stdout, stderr: stderr, report: Report{URL: o.URL, Turns: []TurnReport{}}}
	err := r.do(ctx)
	r.report.conclude(err)
	if o.JSON {
		if failed := writeJSON(stdout, r.report); err == nil {
			err = failed
		}
		return err
	}
	if len(r.report.Turns) > 0 {
		fmt.Fprint(stdout, r.report.summary())
	}
	return err
}

// run is one RunCall under way.
type run struct {
	o              CallOptions
	stdout, stderr io.Writer
	report         Report
}

func (r *run) do(ctx context.Context) error {
	if len(r.o.Audio)+len(r.o.Text) == 0 {
		return failf(BadUsage, nil, "Nothing to say: name recordings with --audio or messages with --text.")
	}
	for _, text := range r.o.Text {
		if strings.TrimSpace(text) == "" {
			return failf(BadUsage, nil, "The message is empty.")
		}
	}
	clips := make([]*Clip, 0, len(r.o.Audio))
	for _, path := range r.o.Audio {
		clip, err := LoadClip(path)
		if err != nil {
			return err
		}
		clips = append(clips, clip)
	}
	if r.o.Save != "" {
		if err := os.MkdirAll(r.o.Save, 0o755); err != nil {
			return failf(BadUsage, err, "The directory %s cannot be made: %v.", r.o.Save, root(err))
		}
	}
	caller, err := r.dial(ctx)
	if err != nil {
		return err
	}
	defer caller.Hangup()
	return r.talk(ctx, caller, clips)
}

func (r *run) dial(ctx context.Context) (*Caller, error) {
	r.progress("calling %s", r.o.URL)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	began := time.Now()
	caller, err := Dial(ctx, r.o.options())
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	r.report.Call, r.report.ConnectMS = caller.ID(), milliseconds(took)
	r.progress("connected in %.0f ms", milliseconds(took))
	return caller, nil
}

// talk goes through all turns. It goes on after an unanswered one, not after
// the call is lost.
func (r *run) talk(ctx context.Context, caller *Caller, clips []*Clip) error {
	wait := lead
	unanswered := 0
	turns := len(clips) + len(r.o.Text)
	for i := range turns {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = r.o.Pause
		turn, err := r.turn(ctx, caller, clips, i)
		saved, failed := r.save(i+1, turn)
		report := newTurnReport(i+1, turn, r.sameClock())
		report.HeardFile = saved
		r.report.Turns = append(r.report.Turns, report)
		if !r.o.JSON {
			fmt.Fprint(r.stdout, report.text())
		}
		switch {
		case failed != nil:
			return failed
		case ClassOf(err) == Unanswered:
			unanswered++
		case err != nil:
			return err
		}
	}
	if unanswered > 0 {
		return failf(Unanswered, nil, "%d of %d %s went unanswered.", unanswered, turns, plural(turns, "turn"))
	}
	return nil
}

// sameClock tells whether parley runs on this very machine.
func (r *run) sameClock() bool {
	at, err := parseAddress(r.o.URL)
	return err == nil && at.local
}

func (r *run) turn(ctx context.Context, caller *Caller, clips []*Clip, i int) (Turn, error) {
	if i < len(clips) {
		r.progress("saying %s (%.1f s)", clips[i].Name, clips[i].Duration().Seconds())
		return caller.Say(ctx, clips[i])
	}
	text := r.o.Text[i-len(clips)]
	r.progress("writing “%s”", text)
	return caller.Write(ctx, text)
}

// save writes what was heard in turn n; nothing where nothing was.
func (r *run) save(n int, t Turn) (string, error) {
	if r.o.Save == "" || len(t.Sound) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, t.Sound, t.Rate); err != nil {
		return "", err
	}
	path := filepath.Join(r.o.Save, fmt.Sprintf("answer-%02d.wav", n))
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return "", failf(BadUsage, err, "The answer cannot be saved as %s: %v.", path, root(err))
	}
	return path, nil
}

func (r *run) progress(format string, args ...any) {
	fmt.Fprintf(r.stderr, format+"\n", args...)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
