package signaling

import (
	"encoding/json"
	"fmt"
)

// version of the signaling messages.
const version = 1

// MaxMessage is the largest message a client may send on the socket, in bytes.
const MaxMessage = 64 << 10

// inbound has the fields of all messages of a client; each type uses some.
type inbound struct {
	V         int             `json:"v"`
	Type      string          `json:"type"`
	Key       string          `json:"key"`
	Resume    string          `json:"resume"`
	Client    string          `json:"client"`
	Session   json.RawMessage `json:"session"`
	Events    string          `json:"events"`
	SDP       string          `json:"sdp"`
	Candidate json.RawMessage `json:"candidate"`
	Event     json.RawMessage `json:"event"`
	T         json.RawMessage `json:"t"`
}

// outbound has the fields of all messages of the server but event.
type outbound struct {
	V            int             `json:"v"`
	Type         string          `json:"type"`
	Call         string          `json:"call,omitempty"`
	Resume       string          `json:"resume,omitempty"`
	Resumed      *bool           `json:"resumed,omitempty"`
	ResumeWindow int64           `json:"resume_window_ms,omitempty"`
	ICEServers   *[]ICEServer    `json:"ice_servers,omitempty"`
	SDP          string          `json:"sdp,omitempty"`
	Candidate    json.RawMessage `json:"candidate,omitempty"`
	Code         string          `json:"code,omitempty"`
	Message      string          `json:"message,omitempty"`
	Fatal        *bool           `json:"fatal,omitempty"`
	Reason       string          `json:"reason,omitempty"`
	T            json.RawMessage `json:"t,omitempty"`
}

// problem is why a message or request was refused. It is both an `error`
// message on the socket and an error body over HTTP.
type problem struct {
	status  int // HTTP
	code    string
	message string // plain sentences: what is wrong, what to do
	retry   int    // seconds to wait before coming back; 0: no use in waiting
}

func (p *problem) Error() string { return "signaling: " + p.code + ": " + p.message }

// parseMessage reads a client's message.
func parseMessage(raw []byte) (inbound, *problem) {
	var m inbound
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, &problem{code: "invalid_json", message: "The message is not valid JSON of the signaling protocol."}
	}
	if m.V != version {
		return m, &problem{code: "unsupported_version", message: fmt.Sprintf("This server speaks version %d; every message must say \"v\":%d.", version, version)}
	}
	if m.Type == "" {
		return m, &problem{code: "missing_type", message: "The message has no type."}
	}
	return m, nil
}

// encode makes the bytes of a message.
func encode(m outbound) []byte {
	m.V = version
	data, err := json.Marshal(m)
	if err != nil { // candidate or t is not JSON; both were checked when they came in
		panic(fmt.Sprintf("signaling: marshal %s: %v", m.Type, err))
	}
	return data
}

func errorMessage(p *problem, fatal bool) []byte {
	return encode(outbound{Type: "error", Code: p.code, Message: p.message, Fatal: &fatal})
}

func byeMessage(reason string) []byte { return encode(outbound{Type: "bye", Reason: reason}) }

// eventMessages wraps realtime server events for the socket.
func eventMessages(events [][]byte) [][]byte {
	out := make([][]byte, len(events))
	for i, ev := range events {
		m := make([]byte, 0, len(ev)+40)
		m = append(m, `{"v":1,"type":"event","event":`...)
		m = append(m, ev...)
		out[i] = append(m, '}')
	}
	return out
}
