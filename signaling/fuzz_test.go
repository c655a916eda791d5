package signaling

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/conversation"
)

// deafSocket queues what it is told; nobody reads it.
func deafSocket(config *Config) *socket {
	s := &socket{config: config, out: make(chan [][]byte, sendQueue), last: make(chan farewell, 1), broken: make(chan struct{}), written: make(chan struct{})}
	s.once.Do(func() {}) // it has no connection to close
	return s
}

// Whatever a client sends after its join: the server answers in JSON, or not at
// all, and the call goes on.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"type":"offer","sdp":"v=0\r\no=- 1 1 IN IP4 0\r\nm=audio 9 x 0\r\n"}`,
		`{"v":1,"type":"candidate","candidate":{"candidate":"candidate:1","sdpMid":"0"}}`,
		`{"v":1,"type":"candidate","candidate":null}`,
		`{"v":1,"type":"event","event":{"type":"response.create","event_id":"x"}}`,
		`{"v":1,"type":"event","event":{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}}`,
		`{"v":1,"type":"ping","t":[1,{"a":"b"}]}`,
		`{"v":1,"type":"ping"}`, `{"v":1,"type":"join"}`, `{"v":1}`, `{`, `null`, `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	s, err := New(Options{Config: DefaultConfig(), Backend: newFakeBackend()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		sock := deafSocket(&s.config)
		backend := newFakeBackend()
		s.options.Backend = backend
		c, p := s.open("fuzz", conversation.SessionPatch{})
		if p != nil {
			t.Fatal(p)
		}
		c.ask(func() { c.attach(sock) })
		s.dispatch(sock, c, raw)
		if !c.ask(func() {}) && !strings.Contains(string(raw), "bye") {
			t.Fatalf("the call ended by %q", raw)
		}
		c.stop("hang_up")
		<-c.done
		for len(sock.out) > 0 {
			for _, m := range <-sock.out {
				var got outbound
				if err := json.Unmarshal(m, &got); err != nil || got.V != version || got.Type == "" {
					t.Fatalf("sent %s: %v", m, err)
				}
				if got.Type == "error" && (got.Code == "" || got.Message == "") {
					t.Fatalf("an error without words: %s", m)
				}
			}
		}
		if n := backend.open.Load(); n != 0 {
			t.Fatalf("%d talks or peers were left open", n)
		}
	})
}

// What passes the check is small and looks like SDP; naming a connection never fails.
func FuzzOffer(f *testing.F) {
	f.Add(offerOf(1, 1))
	f.Add("v=0\r\no=\r\na=fingerprint:\r\nm=")
	f.Add(strings.Repeat("m=\n", 10))
	f.Fuzz(func(t *testing.T, sdp string) {
		id := connectionID(sdp)
		p := checkOffer(sdp)
		if p != nil {
			if p.status != 400 || p.code == "" || p.message == "" {
				t.Fatalf("got %+v", p)
			}
			return
		}
		if len(sdp) > MaxMessage || strings.Count("\n"+sdp, "\nm=") > maxSections {
			t.Fatalf("accepted %d bytes", len(sdp))
		}
		if len(id) > len(sdp)+1+strings.Count(sdp, "")*4 {
			t.Fatalf("the id is %d bytes long", len(id))
		}
	})
}

func TestConnectionID(t *testing.T) {
	same := connectionID(offerOf(1, 1))
	if connectionID(offerOf(1, 7)) != same {
		t.Error("a restart of the same connection looks like another")
	}
	if connectionID(strings.ReplaceAll(offerOf(1, 2), "\r\n", "\n")) != same {
		t.Error("line ends make a difference")
	}
	if connectionID(offerOf(2, 1)) == same {
		t.Error("another connection looks the same")
	}
}
