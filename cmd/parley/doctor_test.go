package main

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/app"
)

// scripted is a configuration whose parts all work, at once.
func scripted(t *testing.T) string {
	t.Helper()
	return file(t, "scripted.yml", `
listen: 127.0.0.1:0
media: {udp_address: "127.0.0.1:0", tcp_address: "127.0.0.1:0"}
stt: {engine: scripted, scripted: {transcripts: [tell me what time it is]}}
llm: {engine: scripted, scripted: {replies: [It is noon.]}}
tts: {engine: scripted, scripted: {per_word: 10ms}}
`)
}

func TestDoctor(t *testing.T) {
	cfg := scripted(t)
	parley(t, "doctor", "--config", cfg).want(t, 0, `(?s)^parley dev\n\nok    listen .*\nok    tts .*\nEverything that is needed works\.\n$`, "")
	parley(t, "doctor", "--config", cfg, "--set", "stt.engine=auto", "--set", "stt.pocketsphinx.model_dir=/nonexistent").want(t, 1,
		`(?s)\nFAIL  stt +speech is not understood.*\n +→ run scripts/setup\.sh.*\nSomething that is needed does not work`, "")
	address := server(t, &logBook{})
	parley(t, "doctor", "--config", cfg, "--listen", address).want(t, 0, `(?m)^note  listen +a parley runs at `+address+` already$`, "")
}

// With --json there is one document on stdout and nothing else.
func TestDoctorJSON(t *testing.T) {
	cfg := scripted(t)
	for name, test := range map[string]struct {
		args   []string
		status int
	}{
		"well":   {nil, 0},
		"broken": {[]string{"--set", "store.path=/dev/null/parley.db"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := parley(t, append([]string{"doctor", "--json", "--config", cfg}, test.args...)...)
			o.want(t, test.status, `^\{`, "")
			var r app.Report
			if err := json.Unmarshal([]byte(o.stdout), &r); err != nil { // nothing may follow the document
				t.Fatalf("%v in\n%s", err, o.stdout)
			}
			if r.OK != (test.status == 0) || r.Version != "dev" || len(r.Checks) < 8 {
				t.Errorf("got %+v", r)
			}
			if broken := strings.Contains(o.stdout, `"broken"`); broken == r.OK {
				t.Errorf("ok is %v in\n%s", r.OK, o.stdout)
			}
		})
	}
}
