package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"parley/app"
)

func doctorCommand() *cobra.Command {
	var s settings
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "See what works on this machine, and what to do about the rest",
		Long: `Try every part that the configuration names, for real: load the models, speak a
sentence, understand it, open the ports and the store. Exits with 1 when
something that is needed does not work.`,
		Args: noArgs("change settings with --config or --set"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			report := app.Doctor(cmd.Context(), cfg, version)
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(report)
			} else {
				_, err = fmt.Fprint(cmd.OutOrStdout(), report.String())
			}
			if err == nil && !report.OK {
				err = exitError{status: 1}
			}
			return err
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document on stdout")
	return cmd
}
