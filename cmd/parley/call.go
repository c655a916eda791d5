package main

import (
	"cmp"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"parley/loadtest"
)

func callCommand() *cobra.Command {
	var o loadtest.CallOptions
	cmd := &cobra.Command{
		Use:   "call",
		Short: "Call a server with recordings, as a microphone would, and hear the answers",
		Long: `Call a parley server from the command line: play recordings as a microphone would,
hear the answers, and print what was understood, what was answered and how long
it took, measured from packet to packet at this end.

Exits with 0 when every turn was answered, 1 when one was not, and 2 when no
call came about.`,
		Example: `  parley call --audio question.wav
  parley call --url http://127.0.0.1:8080 --audio a.wav,b.wav --save /tmp/heard
  parley call --text "what is twelve times seven" --json`,
		Args: noArgs("say things with --audio or --text"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			address, key := loadtest.SplitKey(o.URL)
			o.URL = address
			if !cmd.Flags().Changed("key") { // not as the flag's default, which --help would show
				o.Key = cmp.Or(key, os.Getenv("PARLEY_KEY"))
			}
			err := loadtest.RunCall(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil {
				return nil
			}
			e := exitError{status: loadtest.ExitCode(err), err: err}
			if errors.Is(err, cmd.Context().Err()) && cmd.Context().Err() != nil {
				e = exitError{status: 130}
			}
			return e
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.URL, "url", "u", "http://127.0.0.1:8080", "the server's `address`, as it prints it")
	f.StringVar(&o.Key, "key", "", "the server's key (default: that in the address, else $PARLEY_KEY)")
	f.BoolVar(&o.Insecure, "insecure", false, "accept any TLS certificate")
	f.StringSliceVarP(&o.Audio, "audio", "a", nil, "WAV `files` to say, in order, separated by commas")
	f.StringArrayVarP(&o.Text, "text", "t", nil, "a `message` to write, after the recordings (may be repeated)")
	f.BoolVar(&o.PushToTalk, "push-to-talk", false, "hold the talk button while a recording plays")
	f.BoolVar(&o.DTX, "dtx", false, "send nothing in silence, as some browsers do")
	f.DurationVar(&o.Pause, "pause", time.Second, "between an answer's end and the next question")
	f.DurationVar(&o.Timeout, "timeout", 15*time.Second, "for an answer to begin")
	f.StringVar(&o.Save, "save", "", "`directory` to save what was heard in, as WAV")
	f.BoolVar(&o.JSON, "json", false, "print one JSON document on stdout")
	return cmd
}
