// Command voicebench measures parley beside a bare Pion echo, in one run, on
// one machine, from packet to packet at the caller's end: the wait for an
// answer, CPU per call, memory per call, readiness and interruption. Engines
// are scripted and take no time; the detector is the real one. `make bench`
// runs it; `voicebench echo` is the echo server itself, which it starts.
//
// May import: loadtest, internal/timeline and the standard library, Pion and libopus.
// Concurrency: one goroutine per synthetic caller, all waited for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// plan says how much is measured.
type plan struct {
	parley string        // the binary
	clip   string        // a WAV file with speech
	turns  int           // for latency, each server
	starts int           // for readiness
	cuts   int           // interruptions
	phases int           // turns for each place within a packet at which speech ends
	calls  []int         // at once, for CPU and memory
	window time.Duration // over which CPU is read
	settle time.Duration // before it
	// giveBack is how long after the last hang-up memory is read.
	giveBack time.Duration
}

func fullPlan() plan {
	return plan{turns: 20, starts: 5, cuts: 6, phases: 2, calls: []int{1, 10, 50}, window: 6 * time.Second, settle: 2 * time.Second, giveBack: 8 * time.Second}
}

func quickPlan() plan {
	return plan{turns: 4, starts: 2, cuts: 1, calls: []int{1, 10}, window: 2 * time.Second, settle: time.Second, giveBack: time.Second}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "voicebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "echo" {
		return serveEcho(ctx, args[1])
	}
	flags := flag.NewFlagSet("voicebench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "less of everything, in under a minute")
	parley := flags.String("parley", "bin/parley", "the `binary` to measure")
	clip := flags.String("clip", "testdata/speech/brooklyn-bridge.wav", "a WAV `file` with speech")
	turns := flags.Int("turns", 0, "turns for the latency figures (default 20)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := fullPlan()
	if *quick {
		p = quickPlan()
	}
	if *turns > 0 {
		p.turns = *turns
	}
	p.parley, p.clip = *parley, *clip
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	b, err := newBench(p)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.measure(ctx); err != nil {
		return err
	}
	fmt.Print(b.result.table())
	fmt.Print(b.result.benchLines())
	return nil
}
