package loadtest

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"
)

// Options say whom to call and how. The zero value of every field but URL is useful.
type Options struct {
	URL      string // http://host:port, https, ws or wss; a key in its fragment is used
	Key      string // outweighs that of URL
	Insecure bool   // accept any TLS certificate
	Client   string // how the caller names itself; "" is "parley-call/1"

	// Session holds realtime session fields to begin with, as JSON would have
	// them; nil leaves all to the server.
	Session map[string]any
	// PushToTalk holds the talk button down while a clip plays.
	PushToTalk bool
	// DTX stops sending in silence, as a browser does where it was negotiated.
	DTX bool
	// Room is what the microphone picks up between clips, in a loop; nil is
	// digital silence.
	Room *Clip
	// Record keeps what is heard, for Turn.Sound.
	Record bool
	// NoEvents makes the call without a data channel, as a bare media server wants it.
	NoEvents bool

	// AnswerTimeout is how long to wait for the first sound of an answer; 0 is 15 s.
	AnswerTimeout time.Duration

	// Connect opens the signaling; nil is WebSocket.
	Connect Connector
	// NetDial replaces the dialer of TCP connections.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Net replaces the machine's network for media, such as by a pion vnet.
	Net transport.Net
	// Tune, where set, changes Pion's settings last.
	Tune func(*webrtc.SettingEngine)
	// OnEvent, where set, is given every server event as it arrives. It must
	// not block.
	OnEvent func(at time.Time, event []byte)
	Logger  *slog.Logger
}

func (o Options) withDefaults() Options {
	address, key := SplitKey(o.URL)
	o.URL, o.Key = address, cmp.Or(o.Key, key)
	if o.Client == "" {
		o.Client = "parley-call/1"
	}
	if o.AnswerTimeout == 0 {
		o.AnswerTimeout = 15 * time.Second
	}
	if o.Connect == nil {
		o.Connect = WebSocket
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// session is the session field of the join message; nil for none.
func (o Options) session() (json.RawMessage, error) {
	fields := map[string]any{}
	for k, v := range o.Session {
		fields[k] = v
	}
	if o.PushToTalk {
		audio := submap(fields, "audio")
		input := submap(audio, "input")
		input["turn_detection"] = nil
		audio["input"] = input
		fields["audio"] = audio
	}
	if len(fields) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, failf(BadUsage, err, "The session's settings cannot be written as JSON: %v.", err)
	}
	return raw, nil
}

// submap is a copy of the map under a key; empty where there is none.
func submap(m map[string]any, key string) map[string]any {
	out := map[string]any{}
	if inner, ok := m[key].(map[string]any); ok {
		for k, v := range inner {
			out[k] = v
		}
	}
	return out
}
