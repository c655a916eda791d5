package app

import (
	"fmt"
	"strings"
)

// Level is how a check turned out.
type Level string

// The outcomes of a check.
const (
	Good    Level = "ok"
	Warning Level = "warning" // it works, but not as well as it could
	Broken  Level = "broken"  // something that is needed does not work
)

// Check is one line of the doctor's report.
type Check struct {
	Part   string `json:"part"`
	Level  Level  `json:"level"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // what to do about it
}

// Report is what the doctor found.
type Report struct {
	Version string  `json:"version"`
	OK      bool    `json:"ok"` // nothing is broken
	Checks  []Check `json:"checks"`
}

func (r *Report) add(c Check) {
	r.Checks = append(r.Checks, c)
	if c.Level == Broken {
		r.OK = false
	}
}

// verdict adds a check that is broken exactly when err is not nil.
func (r *Report) verdict(part, detail string, err error, fix string) {
	if err != nil {
		r.add(Check{Part: part, Level: Broken, Detail: err.Error(), Fix: fix})
		return
	}
	r.add(Check{Part: part, Level: Good, Detail: detail})
}

// String is the report for a person: a line a check, and under it what to do.
func (r Report) String() string {
	signs := map[Level]string{Good: "ok  ", Warning: "note", Broken: "FAIL"}
	width := 0
	for _, c := range r.Checks {
		width = max(width, len(c.Part))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "parley %s\n\n", r.Version)
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%s  %-*s  %s\n", signs[c.Level], width, c.Part, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(&b, "      %-*s  → %s\n", width, "", c.Fix)
		}
	}
	if r.OK {
		b.WriteString("\nEverything that is needed works.\n")
	} else {
		b.WriteString("\nSomething that is needed does not work; see the lines marked FAIL.\n")
	}
	return b.String()
}
