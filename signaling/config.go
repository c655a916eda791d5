package signaling

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config is what an operator may set. Its zero value is not useful; begin with
// DefaultConfig.
type Config struct {
	// Key that clients must show; empty: none is asked for. It is no setting of
	// this section: whoever makes a Server fills it in.
	Key string `koanf:"-" yaml:"-"`
	// AllowedOrigins lists web origins besides the server's own whose pages may
	// call, such as "https://example.com"; "*" allows all.
	AllowedOrigins []string `koanf:"allowed_origins" yaml:"allowed_origins"`
	// TrustedProxies lists the addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `koanf:"trusted_proxies" yaml:"trusted_proxies"`
	// ICEServers are handed to clients.
	ICEServers []ICEServer `koanf:"ice_servers" yaml:"ice_servers"`
	// MaxCalls at a time; 0: no limit.
	MaxCalls int `koanf:"max_calls" yaml:"max_calls"`
	// SocketsPerIP at a time, and JoinsPerMinute from one address. Loopback is exempt.
	SocketsPerIP   int `koanf:"sockets_per_ip" yaml:"sockets_per_ip"`
	JoinsPerMinute int `koanf:"joins_per_minute" yaml:"joins_per_minute"`
	// ResumeWindow is how long a call outlives its socket.
	ResumeWindow time.Duration `koanf:"resume_window" yaml:"resume_window"`
	// JoinTimeout is how long a new socket may take to say who it is.
	JoinTimeout time.Duration `koanf:"join_timeout" yaml:"join_timeout"`
	// PingInterval between keep-alive pings; a socket silent for twice as long is lost.
	PingInterval time.Duration `koanf:"ping_interval" yaml:"ping_interval"`
	// WriteTimeout is how long a client may leave what it is sent unread.
	WriteTimeout time.Duration `koanf:"write_timeout" yaml:"write_timeout"`
	// AnswerTimeout bounds the making of an SDP answer, gathering included.
	AnswerTimeout time.Duration `koanf:"answer_timeout" yaml:"answer_timeout"`
	// ConnectTimeout is how long a call made over HTTP may take to connect.
	ConnectTimeout time.Duration `koanf:"connect_timeout" yaml:"connect_timeout"`
}

// ICEServer is a STUN or TURN server for clients, as in an RTCIceServer.
type ICEServer struct {
	URLs       []string `koanf:"urls" yaml:"urls" json:"urls"`
	Username   string   `koanf:"username" yaml:"username,omitempty" json:"username,omitempty"`
	Credential string   `koanf:"credential" yaml:"credential,omitempty" json:"credential,omitempty"`
}

// DefaultConfig returns what holds where nothing is set.
func DefaultConfig() Config {
	return Config{
		MaxCalls:       100,
		SocketsPerIP:   20,
		JoinsPerMinute: 30,
		ResumeWindow:   30 * time.Second,
		JoinTimeout:    5 * time.Second,
		PingInterval:   15 * time.Second,
		WriteTimeout:   4 * time.Second,
		AnswerTimeout:  10 * time.Second,
		ConnectTimeout: 30 * time.Second,
	}
}

// Validate says what is wrong with the configuration, in the names of its file.
func (c Config) Validate() error {
	for name, d := range map[string]time.Duration{
		"resume_window": c.ResumeWindow, "join_timeout": c.JoinTimeout, "ping_interval": c.PingInterval,
		"write_timeout": c.WriteTimeout, "answer_timeout": c.AnswerTimeout, "connect_timeout": c.ConnectTimeout,
	} {
		if d <= 0 || d > time.Hour {
			return fmt.Errorf("signaling: config: %s must be more than 0 and at most 1h, not %v", name, d)
		}
	}
	if c.MaxCalls < 0 || c.SocketsPerIP < 1 || c.JoinsPerMinute < 1 {
		return fmt.Errorf("signaling: config: max_calls must be at least 0, sockets_per_ip and joins_per_minute at least 1")
	}
	if c.Key != strings.TrimSpace(c.Key) || strings.ContainsAny(c.Key, "\r\n\t ") {
		return fmt.Errorf("signaling: config: key must not hold white space")
	}
	for _, o := range c.AllowedOrigins {
		if _, err := parseOrigin(o); o != "*" && err != nil {
			return fmt.Errorf("signaling: config: allowed_origins: %q is not an origin such as https://example.com", o)
		}
	}
	if _, err := parseProxies(c.TrustedProxies); err != nil {
		return err
	}
	for _, s := range c.ICEServers {
		if err := s.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (s ICEServer) validate() error {
	if len(s.URLs) == 0 {
		return fmt.Errorf("signaling: config: ice_servers: each needs urls")
	}
	for _, u := range s.URLs {
		scheme, _, _ := strings.Cut(u, ":")
		if !slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) {
			return fmt.Errorf("signaling: config: ice_servers: %q is not a stun:, stuns:, turn: or turns: URL", u)
		}
	}
	return nil
}

// parseOrigin reads scheme://host[:port] and nothing more.
func parseOrigin(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("signaling: read origin: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != s {
		return nil, fmt.Errorf("signaling: read origin: %q has more or less than a scheme and a host", s)
	}
	return u, nil
}

func parseProxies(list []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("signaling: config: trusted_proxies: %q is neither an address nor a network", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		nets = append(nets, p)
	}
	return nets, nil
}
