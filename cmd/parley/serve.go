package main

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"parley/app"
	"parley/observe"
)

// settings are the flags that set the configuration, shared by the commands that read one.
type settings struct {
	file   string
	listen string
	set    []string
}

func (s *settings) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "YAML `file` with settings")
	cmd.Flags().StringVarP(&s.listen, "listen", "l", "", "`host:port` to serve on (default 127.0.0.1:8080)")
	cmd.Flags().StringArrayVar(&s.set, "set", nil, "any setting, as `name=value` (may be repeated), such as tts.engine=espeak")
}

func (s *settings) load() (app.Config, error) {
	over := map[string]string{}
	for _, pair := range s.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return app.Config{}, fmt.Errorf("--set %s: write it as name=value", pair)
		}
		over[name] = value
	}
	if s.listen != "" {
		over["listen"] = s.listen
	}
	return app.Load(app.Sources{File: s.file, Environ: os.Environ(), Flags: over})
}

func serveCommand() *cobra.Command {
	var s settings
	var print bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Start the server. Without any setting it listens on http://127.0.0.1:8080, uses
the embedded engines and needs no key, no account and no internet.

Settings come from, weakest first: the defaults, the file given by --config,
environment variables (PARLEY_STT_ENGINE for stt.engine), and flags.`,
		Example: `  parley serve
  PARLEY_KEY=secret parley serve --listen 0.0.0.0:8080
  parley serve --set llm.openai.base_url=http://127.0.0.1:11434/v1 --set llm.openai.model=llama3.2
  parley serve --print-config > parley.yaml`,
		Args: noArgs("change settings with --config, --listen or --set"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if print {
				return cfg.Print(cmd.OutOrStdout())
			}
			log, err := observe.NewLogger(cmd.ErrOrStderr(), cfg.Log.Format, cfg.Log.Level)
			if err != nil {
				return err
			}
			err = app.Serve(cmd.Context(), cfg, app.Options{
				Version: version, Log: log,
				Ready: func(r app.Running) { greet(cmd.OutOrStdout(), r, others(cfg.Listen, ownAddresses())) },
			})
			if err != nil {
				return exitError{1, err}
			}
			return nil
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&print, "print-config", false, "print the configuration in force and exit")
	return cmd
}

// greet tells a person where to go. A key that was made up for this run is
// shown here and nowhere else. hosts are the machine's other addresses at which
// it answers.
func greet(w io.Writer, r app.Running, hosts []string) {
	key := ""
	if r.Key != "" {
		key = "/#key=" + r.Key
	}
	fmt.Fprintf(w, "parley listens at %s\n", r.URL+key)
	if _, port, err := net.SplitHostPort(strings.TrimPrefix(r.URL, "http://")); err == nil && len(hosts) > 0 {
		for _, host := range hosts {
			fmt.Fprintf(w, "              and http://%s%s\n", net.JoinHostPort(host, port), key)
		}
		fmt.Fprintln(w, "  Browsers share the microphone only with https:// pages and with localhost; from other machines, use a proxy with TLS.")
	}
	var parts []string
	for _, stage := range slices.Sorted(maps.Keys(r.Engines)) {
		parts = append(parts, stage+": "+r.Engines[stage])
	}
	fmt.Fprintf(w, "  %s\n", strings.Join(parts, "   "))
	if r.Key != "" {
		fmt.Fprintln(w, "  Others can reach this address, so it asks for a key. None was set: the one above is for this run. Set your own with PARLEY_KEY.")
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
}

// others are those of a machine's addresses that can be reached from elsewhere
// where parley listens on all of them: IPv4, in order; none where it does not.
func others(listen string, own []net.Addr) []string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host != "" && (ip == nil || !ip.IsUnspecified()) {
		return nil
	}
	var hosts []string
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

// ownAddresses are none where the machine does not tell.
func ownAddresses() []net.Addr {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	return own
}
