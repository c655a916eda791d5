package app

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"parley/internal/endpoint"
)

// Validate says what is wrong, in the names of the settings: a line for each.
func (c Config) Validate() error {
	p := problems{}
	p.add("", checkListen(c.Listen))
	p.oneOf("log.format", c.Log.Format, "auto", "text", "json")
	p.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	p.oneOf("vad.engine", c.VAD.Engine, Auto, "silero", "energy")
	p.oneOf("stt.engine", c.STT.Engine, Auto, "pocketsphinx", "openai", "scripted", "unassigned")
	p.oneOf("llm.engine", c.LLM.Engine, Auto, "openai", "builtin", "scripted", "unassigned")
	p.oneOf("tts.engine", c.TTS.Engine, Auto, "flite", "espeak", "openai", "scripted", "unassigned")
	p.oneOf("store.engine", c.Store.Engine, "sqlite", "none")
	p.add("signaling", c.Signaling.Validate())
	for _, s := range c.Signaling.ICEServers {
		if s.Credential != "" && s.Credential == endpoint.Secret(s.Credential).String() {
			p.add("signaling", errors.New("ice_servers: a credential is the placeholder of a printed configuration"))
		}
	}
	p.add("media", c.Media.Validate())
	session := c.Session.Validate()
	p.add("session", session)
	if session == nil { // the detector's threshold and silence are the session's
		p.add("vad", c.detector().Validate())
	}
	p.add("stt.pocketsphinx", c.STT.Pocketsphinx.Validate())
	p.add("stt.openai", c.STT.OpenAI.Validate())
	p.add("stt.scripted", c.STT.Scripted.Validate())
	p.add("stt.guard", c.STT.Guard.Validate())
	p.add("llm.openai", c.LLM.OpenAI.Validate())
	p.add("llm.scripted", c.LLM.Scripted.Validate())
	p.add("tts.flite", c.TTS.Flite.Validate())
	p.add("tts.espeak", c.TTS.Espeak.Validate())
	p.add("tts.openai", c.TTS.OpenAI.Validate())
	p.add("tts.scripted", c.TTS.Scripted.Validate())
	return p.err()
}

// problems are sentences about settings.
type problems []string

// add takes the lines of err, which speaks of settings in a section.
func (p *problems) add(section string, err error) {
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		line = withoutPlace(strings.TrimSpace(line))
		name, _, _ := strings.Cut(line, " ")
		_, known := settings()[section+"."+strings.TrimSuffix(name, ":")]
		switch {
		case section == "":
		case known:
			line = section + "." + line
		default:
			line = section + ": " + line
		}
		*p = append(*p, line)
	}
}

func (p *problems) oneOf(name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add("", fmt.Errorf("%s: %q is none of %s", name, value, strings.Join(allowed, ", ")))
	}
}

func (p problems) err() error {
	switch len(p) {
	case 0:
		return nil
	case 1:
		return errors.New(p[0])
	}
	return errors.New("some settings cannot be used:\n  " + strings.Join(p, "\n  "))
}

// checkListen wants host:port with a port number; 0 takes any free one.
func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen: %q is not host:port", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen: %q is no port number", port)
	}
	return nil
}
