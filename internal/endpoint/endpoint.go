// Package endpoint is what the adapters of OpenAI-compatible servers share:
// where the server is and its key, an HTTP client fit for calls, one table
// from HTTP and network errors to fault kinds, and a watchdog for streams that
// go silent.
//
// May import: internal/fault, the OpenAI client and the standard library.
// Concurrency: a Client is safe for concurrent use; a Watchdog belongs to the
// goroutine that reads the stream.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"parley/internal/fault"
)

// DefaultBaseURL is where requests go when Config.BaseURL is empty.
const DefaultBaseURL = "https://api.openai.com/v1"

// Config says where an OpenAI-compatible server is. The zero value is the
// cloud without a key.
type Config struct {
	BaseURL string `koanf:"base_url" yaml:"base_url"` // with the version: "http://127.0.0.1:8000/v1"; "" means DefaultBaseURL
	APIKey  Secret `koanf:"api_key" yaml:"api_key"`   // "" sends none
}

// URL returns the base URL in force.
func (c Config) URL() string {
	if c.BaseURL == "" {
		return DefaultBaseURL
	}
	return c.BaseURL
}

// Host returns the host and port of the server, for log lines.
func (c Config) Host() string {
	u, err := url.Parse(c.URL())
	if err != nil {
		return ""
	}
	return u.Host
}

// Validate reports what is impossible in c. It never shows the key.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL())
	switch {
	case err != nil:
		return errors.New("endpoint: base_url is not a URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("endpoint: base_url must hold no user, query or fragment; the key belongs in api_key")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("endpoint: base_url: scheme %q is neither http nor https", u.Scheme)
	case u.Hostname() == "":
		return errors.New("endpoint: base_url names no host")
	}
	return c.APIKey.validate()
}

// Options adjust a client. The zero value is right for most adapters.
type Options struct {
	DialTimeout  time.Duration // to connect; 0: 3 s
	TLSTimeout   time.Duration // for the TLS handshake; 0: 3 s
	MaxBytes     int64         // most bytes taken from one answer; 0: 64 MiB
	MaxIdleConns int           // connections kept warm; 0: 16
	// DialContext replaces the dialer, for tests without a network.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is an OpenAI client with the HTTP client underneath. Its requests
// fail with errors that Classify understands. There is no overall timeout:
// the context of each request sets it.
type Client struct {
	*openai.Client
	HTTP *http.Client // the same connections and rules, without the key
}

// NewClient returns a client for the server in cfg. All its requests share one
// pool of connections, so an engine makes one and keeps it.
func NewClient(cfg Config, o Options) *Client {
	httpClient := &http.Client{Transport: newTransport(o), CheckRedirect: stayOnHost}
	c := openai.DefaultConfig(cfg.APIKey.Reveal())
	c.BaseURL = cfg.URL()
	c.HTTPClient = httpClient
	return &Client{Client: openai.NewClientWithConfig(c), HTTP: httpClient}
}

// Close drops the connections kept warm. Requests under way are not touched.
func (c *Client) Close() { c.HTTP.CloseIdleConnections() }

// Models returns the names of the models the server offers, in its order. The
// error is classified.
func (c *Client) Models(ctx context.Context) ([]string, error) {
	list, err := c.ListModels(ctx)
	if err != nil {
		return nil, Classify("endpoint: list models", err)
	}
	names := make([]string, 0, len(list.Models))
	for _, m := range list.Models {
		names = append(names, m.ID)
	}
	return names, nil
}

// Probe asks the server for its list of models: does it answer, and does it
// take the key? The error is classified. A server that answers but has no such
// list (some speech servers) gives fault.Misconfigured.
func Probe(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return fault.New(fault.Misconfigured, "endpoint: probe", err)
	}
	c := NewClient(cfg, Options{MaxBytes: 4 << 20})
	defer c.Close()
	_, err := c.Models(ctx)
	return err
}
