package openai

import (
	"errors"
	"fmt"
	"time"

	"parley/internal/endpoint"
	"parley/internal/fault"
)

// DefaultModel is asked for when Config.Model is empty. Servers with a single
// model take any name.
const DefaultModel = "whisper-1"

const limitUtterance = 10 * time.Minute // 19 MB; the cloud takes 25

// Config says where the server is and what to ask of it.
type Config struct {
	BaseURL string          `koanf:"base_url" yaml:"base_url"` // with the version: "http://127.0.0.1:8000/v1"; "" is the cloud
	APIKey  endpoint.Secret `koanf:"api_key" yaml:"api_key"`
	Model   string          `koanf:"model" yaml:"model"`

	Language    string  `koanf:"language" yaml:"language"`       // BCP 47; only its language ("en" of "en-US") is sent. "" lets the server decide
	Prompt      string  `koanf:"prompt" yaml:"prompt"`           // names and terms to expect
	Temperature float64 `koanf:"temperature" yaml:"temperature"` // 0: the likeliest words

	// Verbose asks for verbose_json: segments that the model itself thinks are
	// silence are dropped, and transcripts have a confidence. Whisper models
	// know it, the cloud's newer ones do not.
	Verbose bool `koanf:"verbose" yaml:"verbose"`
	// Speculate sends the utterance at the first pause and again after the next,
	// if the speaker went on: quicker, and each attempt costs.
	Speculate bool `koanf:"speculate" yaml:"speculate"`

	Timeout time.Duration `koanf:"timeout" yaml:"timeout"` // for the answer, all attempts together
	Retries int           `koanf:"retries" yaml:"retries"` // further attempts after a server error or a broken connection
	// MaxUtterance is how much of an utterance is sent; the rest is ignored.
	MaxUtterance time.Duration `koanf:"max_utterance" yaml:"max_utterance"`
}

// DefaultConfig returns what is right for most servers.
func DefaultConfig() Config {
	return Config{Model: DefaultModel, Timeout: 10 * time.Second, Retries: 1, MaxUtterance: time.Minute}
}

// Endpoint returns where the server is.
func (c Config) Endpoint() endpoint.Config {
	return endpoint.Config{BaseURL: c.BaseURL, APIKey: c.APIKey}
}

// Validate reports what is impossible in c. It never shows the key.
func (c Config) Validate() error {
	var errs []error
	if err := c.Endpoint().Validate(); err != nil {
		errs = append(errs, fmt.Errorf("stt/openai: %w", err))
	}
	if c.Temperature < 0 || c.Temperature > 1 {
		errs = append(errs, fmt.Errorf("stt/openai: temperature %v is not between 0 and 1", c.Temperature))
	}
	if c.Timeout <= 0 {
		errs = append(errs, errors.New("stt/openai: timeout must be more than 0"))
	}
	if c.Retries < 0 || c.Retries > 5 {
		errs = append(errs, fmt.Errorf("stt/openai: retries %d is not between 0 and 5", c.Retries))
	}
	if c.MaxUtterance <= 0 || c.MaxUtterance > limitUtterance {
		errs = append(errs, fmt.Errorf("stt/openai: max_utterance %v is not between 0 and %v", c.MaxUtterance, limitUtterance))
	}
	return errors.Join(errs...)
}

// Check reports, without asking the server, why the engine could not work: the
// settings are impossible, or name neither a server nor a key for the cloud.
// The error is of kind fault.Misconfigured. endpoint.Probe asks the server.
func Check(cfg Config) error {
	const op = "stt/openai: check"
	if err := cfg.Validate(); err != nil {
		return fault.New(fault.Misconfigured, op, err)
	}
	if cfg.BaseURL == "" && cfg.APIKey == "" {
		return fault.Newf(fault.Misconfigured, op, "neither base_url nor api_key is set; set stt.openai.base_url to your server, or stt.openai.api_key for the cloud")
	}
	return nil
}
