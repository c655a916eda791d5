package app

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// healthy is a configuration whose parts all work at once: scripted engines, on
// ports of their own.
func healthy(t *testing.T) Config {
	t.Helper()
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.Media.UDPAddress, c.Media.TCPAddress = "127.0.0.1:0", "127.0.0.1:0"
	c.VAD.Engine, c.STT.Engine, c.LLM.Engine, c.TTS.Engine = "energy", "scripted", "scripted", "scripted"
	c.STT.Scripted.Transcripts = []string{"tell me what time it is"}
	c.LLM.Scripted.Replies = []string{"It is noon."}
	c.TTS.Scripted.PerWord = 10 * time.Millisecond
	c.Data = t.TempDir()
	return c
}

// line is what the report says of a part, all of it.
func line(r Report, part string) (level Level, text string) {
	for _, c := range r.Checks {
		if c.Part != part {
			continue
		}
		if level != Broken && (level == "" || c.Level != Good) {
			level = c.Level
		}
		text += c.Detail + " -> " + c.Fix + "\n"
	}
	return level, text
}

func TestDoctorFindsNothing(t *testing.T) {
	r := Doctor(t.Context(), healthy(t), "test")
	if !r.OK {
		t.Errorf("it found:\n%s", r)
	}
	for _, part := range []string{"listen", "access", "media", "vad", "stt", "llm", "tts", "store"} {
		if level, text := line(r, part); level != Good {
			t.Errorf("%s: %s %s", part, level, text)
		}
	}
	if s := r.String(); !strings.Contains(s, "Everything that is needed works.") || strings.Contains(s, "FAIL") {
		t.Errorf("a person reads:\n%s", s)
	}
}

// The embedded engines understand each other, the first time.
func TestDoctorEmbedded(t *testing.T) {
	c := healthy(t)
	c.STT.Engine, c.LLM.Engine, c.TTS.Engine = Auto, Auto, Auto
	r := Doctor(t.Context(), c, "test")
	for part, want := range map[string]string{
		"stt": `pocketsphinx (the embedded default): understood "Tell me what time it is." as "tell me what time it is"`,
		"tts": "flite (the embedded default): spoke ", "llm": "builtin (no endpoint is set",
	} {
		if level, text := line(r, part); part != "llm" && level != Good || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %s %s", part, level, text)
		}
	}
	if level, text := line(r, "llm"); level != Warning || !strings.Contains(text, "start Ollama") {
		t.Errorf("the built-in assistant passes for a model: %s %s", level, text)
	}
}

func TestDoctorFinds(t *testing.T) {
	status := func(code int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken, other := l.Addr().String(), strings.TrimPrefix(status(200, "hello"), "http://")
	parley := strings.TrimPrefix(status(200, `{"status":"ok","version":"dev","calls":0}`), "http://")

	tests := map[string]struct {
		change func(c *Config)
		part   string
		level  Level
		want   []string
	}{
		"another server":     {func(c *Config) { c.Listen = other }, "listen", Broken, []string{"cannot listen on " + other + ": address already in use", "choose another"}},
		"a parley":           {func(c *Config) { c.Listen = parley }, "listen", Warning, []string{"a parley runs at " + parley + " already"}},
		"foreign address":    {func(c *Config) { c.Listen = "192.0.2.1:0" }, "listen", Broken, []string{"cannot assign requested address"}},
		"no key":             {func(c *Config) { c.Listen = "192.0.2.1:0" }, "access", Warning, []string{"no key is set", "set PARLEY_KEY"}},
		"a key":              {func(c *Config) { c.Listen, c.Key = "192.0.2.1:0", "k" }, "access", Good, []string{"a key is asked for"}},
		"media port":         {func(c *Config) { c.Media.TCPAddress = taken }, "media", Broken, []string{"calls cannot be received on TCP " + taken, "set media.udp_address"}},
		"weights":            {func(c *Config) { c.VAD.Engine, c.Models = "silero", c.Data }, "vad", Broken, []string{"silero_vad_v6.onnx are nowhere", "scripts/setup.sh"}},
		"weights, auto":      {func(c *Config) { c.VAD.Engine, c.Models = Auto, c.Data }, "vad", Warning, []string{"energy (Silero cannot start", "scripts/setup.sh"}},
		"recogniser":         {func(c *Config) { c.STT = broken().STT; c.STT.Engine = "pocketsphinx" }, "stt", Broken, []string{"pocketsphinx (stt.engine says so): it cannot start: model file: stat /nonexistent"}},
		"recogniser, auto":   {func(c *Config) { c.STT = broken().STT }, "stt", Broken, []string{"speech is not understood; callers can only write", "PocketSphinx cannot start", "set stt.openai.base_url"}},
		"no recogniser":      {func(c *Config) { c.STT.Engine = "unassigned" }, "stt", Warning, []string{"none, as stt.engine says"}},
		"misunderstood":      {func(c *Config) { c.STT.Scripted.Transcripts = []string{"like i said"} }, "stt", Warning, []string{`as "like i said"`, "not well"}},
		"a little misheard":  {func(c *Config) { c.STT.Scripted.Transcripts = []string{"Tell me what the time is!"} }, "stt", Good, []string{"understood"}},
		"nothing understood": {func(c *Config) { c.STT.Scripted.Transcripts = []string{""} }, "stt", Warning, []string{`as ""`}},
		"voice":              {func(c *Config) { c.TTS = broken().TTS; c.TTS.Engine = "espeak" }, "tts", Broken, []string{"espeak (tts.engine says so): it cannot start: /nonexistent/espeak-ng is not installed"}},
		"voice, auto":        {func(c *Config) { c.TTS.Engine, c.TTS.Flite.Voice = Auto, "nonexistent" }, "tts", Warning, []string{"espeak (flite cannot start", "sounds worse"}},
		"no voice":           {func(c *Config) { c.TTS.Engine = "unassigned" }, "stt", Warning, []string{"not tried, for want of a voice"}},
		"voice that fails":   {func(c *Config) { c.TTS.Engine, c.TTS.OpenAI.BaseURL = "openai", "http://"+nowhere(t)+"/v1" }, "tts", Broken, []string{"start the server it should reach, or correct tts.openai.base_url"}},
		"model is down":      {func(c *Config) { c.LLM.Engine, c.LLM.OpenAI.BaseURL = "openai", "http://"+nowhere(t)+"/v1" }, "llm", Broken, []string{"start the server it should reach, or correct llm.openai.base_url"}},
		"model wants a key": {func(c *Config) {
			c.LLM.Engine, c.LLM.OpenAI.BaseURL = "openai", status(401, `{"error":{"message":"no"}}`)+"/v1"
		}, "llm", Broken, []string{"set the right llm.openai.api_key"}},
		"model is out of quota": {func(c *Config) {
			c.LLM.Engine, c.LLM.OpenAI.BaseURL, c.LLM.OpenAI.Retries = "openai", status(429, `{}`)+"/v1", 0
		}, "llm", Broken, []string{"wait, or use another endpoint"}},
		"no model": {func(c *Config) { c.LLM.Engine = "unassigned" }, "llm", Warning, []string{"none, as llm.engine says"}},
		"store":    {func(c *Config) { c.Store.Path = "/dev/null/parley.db" }, "store", Broken, []string{"calls cannot be stored in /dev/null/parley.db: not a directory", "set store.path"}},
		"no store": {func(c *Config) { c.Store.Engine = "none" }, "store", Warning, []string{"not remembered"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := healthy(t)
			test.change(&c)
			r := Doctor(t.Context(), c, "test")
			level, text := line(r, test.part)
			if level != test.level {
				t.Errorf("%s is %s:\n%s", test.part, level, r)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s says\n%swant %s", test.part, text, want)
				}
			}
			if broken := strings.Contains(r.String(), "FAIL"); broken == r.OK {
				t.Errorf("OK is %v of\n%s", r.OK, r)
			}
		})
	}
}

// nowhere is an address where nothing answers.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestDoctorEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := Doctor(ctx, healthy(t), "test"); r.OK {
		t.Errorf("nothing could be tried, and yet:\n%s", r)
	}
}

func TestReportIsJSON(t *testing.T) {
	c := healthy(t)
	c.Store.Path = filepath.Join("/dev/null", "parley.db")
	raw, err := json.Marshal(Doctor(t.Context(), c, "1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version string
		OK      *bool
		Checks  []struct{ Part, Level, Detail, Fix string }
	}
	if err := json.Unmarshal(raw, &got); err != nil || got.Version != "1.2.3" || got.OK == nil || *got.OK || len(got.Checks) < 8 {
		t.Errorf("got %s, %v", raw, err)
	}
	for _, c := range got.Checks {
		if c.Part == "" || c.Level == "" || c.Detail == "" || c.Level == "broken" && c.Fix == "" {
			t.Errorf("a check says too little: %+v", c)
		}
	}
}

func TestWordsWrong(t *testing.T) {
	for understood, want := range map[string]float64{
		"tell me what time it is": 0, "Tell me, what TIME it is?!": 0, "tell me what time is it": 2.0 / 6,
		"tell me what time": 2.0 / 6, "like i said": 1, "": 1, "oh tell me what time it is": 1.0 / 6,
	} {
		if got := wordsWrong(selfTest, understood); got != want {
			t.Errorf("%q: got %v, want %v", understood, got, want)
		}
	}
	if got := wordsWrong("", "something"); got != 1 {
		t.Errorf("of nothing: %v", got)
	}
}

// Advice names the setting that the endpoint came from.
func TestDoctorNamesTheVariable(t *testing.T) {
	t.Setenv("OPENAI_BASE_URL", "http://"+nowhere(t)+"/v1")
	c := healthy(t)
	c.LLM.Engine = Auto
	level, text := line(Doctor(t.Context(), c, "test"), "llm")
	if level != Broken || !strings.HasPrefix(text, "openai (OPENAI_BASE_URL is set): ") || !strings.Contains(text, "or correct OPENAI_BASE_URL\n") {
		t.Errorf("%s: %s", level, text)
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "<1 ms", 900 * time.Microsecond: "<1 ms", 12400 * time.Microsecond: "12ms"} {
		if got := brief(d); got != want {
			t.Errorf("%v: got %s", d, got)
		}
	}
}
