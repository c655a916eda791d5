package app

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"parley/conversation"
	"parley/internal/endpoint"
	llmopenai "parley/llm/openai"
	llmscripted "parley/llm/scripted"
	"parley/media"
	"parley/media/vad"
	"parley/signaling"
	"parley/stt/guard"
	sttopenai "parley/stt/openai"
	"parley/stt/pocketsphinx"
	sttscripted "parley/stt/scripted"
	"parley/tts/espeak"
	"parley/tts/flite"
	ttsopenai "parley/tts/openai"
	ttsscripted "parley/tts/scripted"
)

// Auto, as an engine, lets parley choose what works; 'parley doctor' tells what it chose and why.
const Auto = "auto"

// Config is everything that can be set. The zero value is not useful; begin
// with DefaultConfig.
type Config struct {
	Listen    string               `koanf:"listen" yaml:"listen"` // HTTP, WebSocket: host:port
	Key       endpoint.Secret      `koanf:"key" yaml:"key"`       // asked of every client; required off loopback
	Data      string               `koanf:"data" yaml:"data"`     // directory of what parley stores; "": the user's data directory
	Models    string               `koanf:"models" yaml:"models"` // directory of model files; "": ./models, beside the binary, or in the data directory
	Log       LogConfig            `koanf:"log" yaml:"log"`
	Signaling signaling.Config     `koanf:"signaling" yaml:"signaling"`
	Media     media.Config         `koanf:"media" yaml:"media"`
	Session   conversation.Session `koanf:"session" yaml:"session"` // how a call begins
	VAD       VADConfig            `koanf:"vad" yaml:"vad"`
	STT       STTConfig            `koanf:"stt" yaml:"stt"`
	LLM       LLMConfig            `koanf:"llm" yaml:"llm"`
	TTS       TTSConfig            `koanf:"tts" yaml:"tts"`
	Store     StoreConfig          `koanf:"store" yaml:"store"`
}

// LogConfig says how logs are written, to stderr.
type LogConfig struct {
	Format string `koanf:"format" yaml:"format"` // "auto" (text on a terminal, else JSON), "text", "json"
	Level  string `koanf:"level" yaml:"level"`   // "debug", "info", "warn", "error"
}

// VADConfig chooses and adjusts the voice activity detector. What a turn's
// threshold and silence are belongs to the session.
type VADConfig struct {
	Engine     string        `koanf:"engine" yaml:"engine"` // "auto", "silero", "energy"
	MinSpeech  time.Duration `koanf:"min_speech" yaml:"min_speech"`
	PauseAfter time.Duration `koanf:"pause_after" yaml:"pause_after"`
}

// STTConfig chooses and adjusts speech-to-text.
type STTConfig struct {
	Engine       string              `koanf:"engine" yaml:"engine"` // "auto", "pocketsphinx", "openai", "scripted", "unassigned"
	Pocketsphinx pocketsphinx.Config `koanf:"pocketsphinx" yaml:"pocketsphinx"`
	OpenAI       sttopenai.Config    `koanf:"openai" yaml:"openai"`
	Scripted     sttscripted.Config  `koanf:"scripted" yaml:"scripted"`
	Guard        guard.Config        `koanf:"guard" yaml:"guard"`
}

// LLMConfig chooses and adjusts the language model.
type LLMConfig struct {
	Engine   string             `koanf:"engine" yaml:"engine"` // "auto", "openai", "builtin", "scripted", "unassigned"
	OpenAI   llmopenai.Config   `koanf:"openai" yaml:"openai"`
	Scripted llmscripted.Config `koanf:"scripted" yaml:"scripted"`
}

// TTSConfig chooses and adjusts text-to-speech.
type TTSConfig struct {
	Engine   string             `koanf:"engine" yaml:"engine"` // "auto", "flite", "espeak", "openai", "scripted", "unassigned"
	Flite    flite.Config       `koanf:"flite" yaml:"flite"`
	Espeak   espeak.Config      `koanf:"espeak" yaml:"espeak"`
	OpenAI   ttsopenai.Config   `koanf:"openai" yaml:"openai"`
	Scripted ttsscripted.Config `koanf:"scripted" yaml:"scripted"`
}

// StoreConfig says where calls and turns are kept.
type StoreConfig struct {
	Engine string `koanf:"engine" yaml:"engine"` // "sqlite", "none"
	Path   string `koanf:"path" yaml:"path"`     // "": parley.db in the data directory
}

// DefaultConfig returns what holds where nothing is set.
func DefaultConfig() Config {
	detector := vad.DefaultConfig()
	return Config{
		Listen:    "127.0.0.1:8080",
		Log:       LogConfig{Format: "auto", Level: "info"},
		Signaling: signaling.DefaultConfig(),
		Media:     media.DefaultConfig(),
		Session:   conversation.DefaultSession(),
		VAD:       VADConfig{Engine: Auto, MinSpeech: detector.MinSpeech, PauseAfter: detector.PauseAfter},
		STT: STTConfig{
			Engine: Auto, Pocketsphinx: pocketsphinx.DefaultConfig(), OpenAI: sttopenai.DefaultConfig(),
			Scripted: sttscripted.DefaultConfig(), Guard: guard.DefaultConfig(),
		},
		LLM: LLMConfig{Engine: Auto, OpenAI: llmopenai.DefaultConfig()},
		TTS: TTSConfig{
			Engine: Auto, Flite: flite.DefaultConfig(), Espeak: espeak.DefaultConfig(),
			OpenAI: ttsopenai.DefaultConfig(), Scripted: ttsscripted.DefaultConfig(),
		},
		Store: StoreConfig{Engine: "sqlite"},
	}
}

// detector is the configuration of a call's voice activity detector.
func (c Config) detector() vad.Config {
	return vad.Config{
		Threshold: c.Session.Threshold, Silence: c.Session.Silence,
		MinSpeech: c.VAD.MinSpeech, PauseAfter: c.VAD.PauseAfter,
	}
}

// Loopback tells whether HTTP is served to this machine only.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// DataDir is where parley stores what it keeps.
func (c Config) DataDir() string {
	if c.Data != "" {
		return c.Data
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "parley")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "parley")
	}
	return filepath.Join(os.TempDir(), "parley")
}

// StorePath is the file of the embedded store.
func (c Config) StorePath() string {
	if c.Store.Path != "" {
		return c.Store.Path
	}
	return filepath.Join(c.DataDir(), "parley.db")
}

// findModel looks for a model file where they may lie; "" when it is nowhere.
func (c Config) findModel(name string) string {
	dirs := []string{c.Models}
	if c.Models == "" {
		dirs = []string{"models", filepath.Join(c.DataDir(), "models")}
		if self, err := os.Executable(); err == nil {
			dirs = append(dirs, filepath.Join(filepath.Dir(self), "models"), filepath.Join(filepath.Dir(self), "..", "models"))
		}
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// Print writes the configuration as YAML that Load reads back, but for the
// secrets, which are redacted.
func (c Config) Print(w io.Writer) error {
	c.Signaling.ICEServers = slices.Clone(c.Signaling.ICEServers)
	for i := range c.Signaling.ICEServers {
		if s := &c.Signaling.ICEServers[i]; s.Credential != "" {
			s.Credential = endpoint.Secret(s.Credential).String()
		}
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("app: print configuration: %w", err)
	}
	return enc.Close()
}
