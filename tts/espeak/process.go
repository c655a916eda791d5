package espeak

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"parley/internal/fault"
	"parley/tts/internal/pcmstream"
	"parley/tts/internal/perclause"
)

const op = "tts/espeak: speak"

// say has one process speak one clause. The clause goes in through a pipe:
// never as an argument, never through a shell.
func (e *Engine) say(parent context.Context, clause string, emit perclause.Emit) error {
	input := readable(clause)
	if input == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.path, "--stdout", "--stdin", "-b", "1",
		"-v", e.cfg.Language, "-s", strconv.Itoa(e.cfg.WordsPerMinute), "-p", strconv.Itoa(e.cfg.Pitch))
	cmd.Env = environment()
	cmd.Stdin = strings.NewReader(input)
	// With the helpers it may start for some voices.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // whoever else keeps the pipes open does not keep us
	stderr := &firstBytes{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fault.New(fault.Failed, op, err)
	}
	if err := cmd.Start(); err != nil {
		return fault.New(startKind(err), op, err)
	}
	o := pcmstream.Options{Op: op, Rate: Rate, Limit: pcmstream.Limit(clause)}
	copyErr := pcmstream.Copy(stdout, o, func(pcm []int16) error { return emit(pcm) })
	if copyErr != nil {
		cancel() // nobody reads on: it must not wait for that
	}
	waitErr := cmd.Wait()
	return e.judge(parent, copyErr, waitErr, stderr.String())
}

// judge finds out why a clause failed, or that it did not. What the process
// says counts more than what was missing from its audio.
func (e *Engine) judge(ctx context.Context, copyErr, waitErr error, said string) error {
	if strings.Contains(said, "voice does not exist") {
		return fault.Newf(fault.Misconfigured, op, "espeak-ng has no language %q; espeak-ng --voices lists them", e.cfg.Language)
	}
	var exit *exec.ExitError
	failed := errors.As(waitErr, &exit) && exit.Exited()
	switch {
	case failed:
		e.log.WarnContext(ctx, "espeak-ng failed", "exit", exit.ExitCode(), "said", said)
		return fault.Newf(fault.Failed, op, "espeak-ng ended with status %d", exit.ExitCode())
	case waitErr != nil && (copyErr == nil || errors.Is(copyErr, pcmstream.ErrEmpty)):
		return fault.New(fault.Failed, op, waitErr)
	case errors.Is(copyErr, pcmstream.ErrEmpty):
		return nil // it found nothing to say
	case copyErr == nil || errors.As(copyErr, new(*fault.Error)) || ctx.Err() != nil:
		return copyErr
	}
	return fault.New(fault.Failed, op, copyErr)
}

func startKind(err error) fault.Kind {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return fault.Misconfigured
	}
	return fault.Overloaded // no process or no memory to be had
}

// readable drops control characters and keeps espeak-ng from taking brackets
// for phonemes. It is empty where nothing can be said.
func readable(clause string) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '[' || r == ']' {
			return ' '
		}
		return r
	}, clause)
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }) {
		return ""
	}
	return s
}

// environment leaves the server's secrets out of the child's.
func environment() []string {
	env := []string{"LC_ALL=C.UTF-8"}
	for _, name := range []string{"PATH", "HOME", "ESPEAK_DATA_PATH", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct{ buf bytes.Buffer }

func (f *firstBytes) Write(p []byte) (int, error) {
	f.buf.Write(p[:min(len(p), 256-f.buf.Len())])
	return len(p), nil
}

func (f *firstBytes) String() string { return strings.TrimSpace(f.buf.String()) }
