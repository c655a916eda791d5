// Command parley is the whole product in one binary: the server, a synthetic
// caller, and a doctor.
//
// May import: app, loadtest, observe and the command-line library; flags and exit
// codes only.
// Concurrency: the first interrupt ends a command gently, the second at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// exitError ends the process with a status of its own.
type exitError struct {
	status int
	err    error // nil: everything was said already
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal kills
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the command line says and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var e exitError
	if !errors.As(err, &e) {
		e = exitError{status: 2, err: err}
	}
	if e.err != nil {
		fmt.Fprintln(stderr, "parley:", e.err)
	}
	return e.status
}

// noArgs refuses what stands beside a command's flags; instead says where such
// things go.
func noArgs(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return fmt.Errorf("%[1]s takes no arguments; %[2]s. See '%[1]s --help'", cmd.CommandPath(), instead)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "parley",
		Short: "A real-time voice assistant server",
		Long: `parley answers people who speak to it in the browser, over WebRTC.

  parley serve     start the server
  parley call      call a server with recordings, as a microphone would
  parley doctor    see what works on this machine, and what to do about the rest`,
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	cmd.AddCommand(serveCommand(), callCommand(), doctorCommand())
	return cmd
}
