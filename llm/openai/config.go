package openai

import (
	"fmt"
	"time"

	"parley/internal/endpoint"
)

// Config says which model to ask, and how long to wait for it.
type Config struct {
	BaseURL string          `koanf:"base_url" yaml:"base_url"` // with the version: "http://127.0.0.1:11434/v1"; "" is the cloud
	APIKey  endpoint.Secret `koanf:"api_key" yaml:"api_key"`
	Model   string          `koanf:"model" yaml:"model"` // "" is the first chat model that the server lists

	// FirstTokenTimeout is how long a caller may wait for the first piece of
	// text, all attempts together; IdleTimeout how long for each next one.
	// ThinkTimeout replaces FirstTokenTimeout while a model can be seen to reason.
	FirstTokenTimeout time.Duration `koanf:"first_token_timeout" yaml:"first_token_timeout"`
	IdleTimeout       time.Duration `koanf:"idle_timeout" yaml:"idle_timeout"`
	ThinkTimeout      time.Duration `koanf:"think_timeout" yaml:"think_timeout"`
	Retries           int           `koanf:"retries" yaml:"retries"` // further attempts before the first piece

	MaxTokens   int      `koanf:"max_tokens" yaml:"max_tokens"`   // asked of the server, where the prompt sets none; 0: no limit asked
	MaxChars    int      `koanf:"max_chars" yaml:"max_chars"`     // bytes of UTF-8 at which a reply is cut off, whatever the server does
	Temperature *float64 `koanf:"temperature" yaml:"temperature"` // nil: the server's own
	// ReasoningEffort is passed on where set: "none", "minimal", "low", …
	ReasoningEffort string `koanf:"reasoning_effort" yaml:"reasoning_effort"`
	// StartsThinking is for models whose stream begins inside a <think> block
	// that is never opened.
	StartsThinking bool `koanf:"starts_thinking" yaml:"starts_thinking"`

	Tools     bool `koanf:"tools" yaml:"tools"`           // offer timers as tools
	TellsTime bool `koanf:"tells_time" yaml:"tells_time"` // tell the model the date and time

	MaxHistory      int `koanf:"max_history" yaml:"max_history"`             // messages sent at most
	MaxHistoryChars int `koanf:"max_history_chars" yaml:"max_history_chars"` // their bytes of UTF-8 at most
}

// DefaultConfig returns what is right for most servers.
func DefaultConfig() Config {
	return Config{
		FirstTokenTimeout: 5 * time.Second,
		IdleTimeout:       1500 * time.Millisecond,
		ThinkTimeout:      20 * time.Second,
		Retries:           2,
		MaxTokens:         800,
		MaxChars:          8000,
		Tools:             true,
		TellsTime:         true,
		MaxHistory:        60,
		MaxHistoryChars:   24000,
	}
}

// Endpoint returns where the server is.
func (c Config) Endpoint() endpoint.Config {
	return endpoint.Config{BaseURL: c.BaseURL, APIKey: c.APIKey}
}

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	if err := c.Endpoint().Validate(); err != nil {
		return fmt.Errorf("llm/openai: %w", err)
	}
	for _, s := range []struct {
		name     string
		ok       bool
		allowed  string
		observed any
	}{
		{"first_token_timeout", c.FirstTokenTimeout > 0, "more than 0", c.FirstTokenTimeout},
		{"idle_timeout", c.IdleTimeout > 0, "more than 0", c.IdleTimeout},
		{"think_timeout", c.ThinkTimeout >= 0, "0 or more", c.ThinkTimeout},
		{"retries", c.Retries >= 0 && c.Retries <= 10, "0 to 10", c.Retries},
		{"max_tokens", c.MaxTokens >= 0, "0 or more", c.MaxTokens},
		{"max_chars", c.MaxChars > 0, "more than 0", c.MaxChars},
		{"max_history", c.MaxHistory >= 2, "2 or more", c.MaxHistory},
		{"max_history_chars", c.MaxHistoryChars >= 100, "100 or more", c.MaxHistoryChars},
		{"temperature", c.Temperature == nil || *c.Temperature >= 0 && *c.Temperature <= 2, "0 to 2", c.Temperature},
	} {
		if !s.ok {
			return fmt.Errorf("llm/openai: %s is %v, must be %s", s.name, s.observed, s.allowed)
		}
	}
	return nil
}
