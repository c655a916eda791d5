package signaling

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/conversation"
)

// do makes a request; header is a list of names and values.
func (r *rig) do(method, path, body string, header ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := http.DefaultClient
	if r.dial != nil {
		client = &http.Client{Transport: &http.Transport{DialContext: r.dial, DisableKeepAlives: true}}
	}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(text)
}

// wantProblem checks the form and code of an error body.
func wantProblem(t *testing.T, resp *http.Response, body string, status int, code string) {
	t.Helper()
	var got struct {
		Error struct{ Type, Code, Message string }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if resp.StatusCode != status || got.Error.Code != code || got.Error.Type == "" || !strings.HasSuffix(got.Error.Message, ".") {
		t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, status, code)
	}
}

const sdpType = "application/sdp"

func TestCallOverHTTP(t *testing.T) {
	for name, hangUp := range map[string]func(r *rig, path string) (*http.Response, string){
		"DELETE": func(r *rig, path string) (*http.Response, string) { return r.do("DELETE", path, "") },
		"hangup": func(r *rig, path string) (*http.Response, string) { return r.do("POST", path+"/hangup", "") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			resp, body := r.do("POST", "/v1/realtime/calls?model=gpt-realtime", offerOf(1, 1), "Content-Type", sdpType)
			if resp.StatusCode != http.StatusCreated || resp.Header.Get("Content-Type") != sdpType || body != "v=0\r\nanswer 1 trickle false\r\n" {
				t.Fatalf("got %d %q: %s", resp.StatusCode, resp.Header, body)
			}
			path := resp.Header.Get("Location")
			talk, peer := <-r.backend.talks, <-r.backend.peers
			if path != "/v1/realtime/calls/"+talk.options.Call {
				t.Errorf("location: got %q", path)
			}
			talk.emit(conversation.TimerRang{Label: "early"}) // before the channel is open
			peer.events.State(PeerConnected)
			peer.events.ChannelOpen(true)
			for _, kind := range []string{"session.created", "conversation.created", "early"} {
				if got := <-peer.sent; !strings.Contains(got, kind) {
					t.Errorf("got %s, want %s", got, kind)
				}
			}
			peer.events.Message([]byte(`{"type":"nonsense","event_id":"mine"}`))
			if got := <-peer.sent; !strings.Contains(got, `"code":"unknown_event"`) || !strings.Contains(got, `"event_id":"mine"`) {
				t.Errorf("got %s", got)
			}
			if resp, body := hangUp(r, path); resp.StatusCode >= 300 || body != "" {
				t.Errorf("hang-up: got %d %s", resp.StatusCode, body)
			}
			if got := <-peer.sent; !strings.Contains(got, `"type":"parley.bye"`) || !strings.Contains(got, "hang_up") {
				t.Errorf("got %s", got)
			}
			<-peer.closed
			resp, body = hangUp(r, path)
			wantProblem(t, resp, body, http.StatusNotFound, "call_not_found")
		})
	}
}

func form(t *testing.T, parts ...string) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		if err := w.WriteField(parts[i], parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func TestMultipartCall(t *testing.T) {
	r := newRig(t)
	body, kind := form(t, "session", `{"type":"realtime","instructions":"Sing."}`, "other", "x", "sdp", offerOf(1, 1))
	resp, answer := r.do("POST", callsPath, body, "Content-Type", kind)
	if resp.StatusCode != http.StatusCreated || !strings.HasPrefix(answer, "v=0") {
		t.Fatalf("got %d %s", resp.StatusCode, answer)
	}
	if p := (<-r.backend.talks).options.Session; p.Instructions == nil || *p.Instructions != "Sing." {
		t.Errorf("session: got %+v", p)
	}
}

func TestBadCalls(t *testing.T) {
	r := newRig(t)
	badSession, kind := form(t, "sdp", offerOf(1, 1), "session", `{"type":"transcription"}`)
	hugePart, hugeKind := form(t, "sdp", strings.Repeat("x", MaxMessage+1))
	noOffer, noKind := form(t, "session", `{}`)
	many := offerOf(1, 1) + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 1000)
	candidates := offerOf(1, 1) + strings.Repeat("a=candidate:1\r\n", 100)
	for _, tt := range []struct {
		name, method, path, kind, body string
		status                         int
		code                           string
	}{
		{"no type", "POST", callsPath, "", offerOf(1, 1), 415, "unsupported_media_type"},
		{"json", "POST", callsPath, "application/json", `{"sdp":""}`, 415, "unsupported_media_type"},
		{"bad type", "POST", callsPath, ";;", "x", 415, "unsupported_media_type"},
		{"no boundary", "POST", callsPath, "multipart/form-data", "x", 415, "unsupported_media_type"},
		{"empty", "POST", callsPath, sdpType, "", 400, "invalid_offer"},
		{"blank", "POST", callsPath, sdpType, " \r\n", 400, "invalid_offer"},
		{"no sdp", "POST", callsPath, sdpType, "hello", 400, "invalid_offer"},
		{"no media", "POST", callsPath, sdpType, "v=0\r\n", 400, "invalid_offer"},
		{"1000 sections", "POST", callsPath, sdpType, many, 400, "invalid_offer"},
		{"100 candidates", "POST", callsPath, sdpType, candidates, 400, "invalid_offer"},
		{"too large", "POST", callsPath, sdpType, strings.Repeat("x", MaxMessage+1), 413, "too_large"},
		{"10 MB", "POST", callsPath, sdpType, strings.Repeat("x", 10<<20), 413, "too_large"},
		{"large part", "POST", callsPath, hugeKind, hugePart, 413, "too_large"},
		{"broken form", "POST", callsPath, "multipart/form-data; boundary=b", "--b\r\nbroken", 400, "invalid_body"},
		{"form without sdp", "POST", callsPath, noKind, noOffer, 400, "invalid_offer"},
		{"bad session", "POST", callsPath, kind, badSession, 400, "invalid_session"},
		{"GET", "GET", callsPath, "", "", 405, "method_not_allowed"},
		{"GET a call", "GET", callsPath + "/x", "", "", 405, "method_not_allowed"},
		{"DELETE hangup", "DELETE", callsPath + "/x/hangup", "", "", 405, "method_not_allowed"},
		{"no such call", "DELETE", callsPath + "/x", "", "", 404, "call_not_found"},
		{"no such action", "POST", callsPath + "/x/refer", "", "", 404, "not_found"},
		{"no id", "DELETE", callsPath + "/", "", "", 404, "not_found"},
		{"elsewhere", "POST", "/v1/realtime/client_secrets", "", "", 404, "not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := []string{"Content-Type", tt.kind}
			if tt.kind == "" {
				header = nil
			}
			resp, body := r.do(tt.method, tt.path, tt.body, header...)
			wantProblem(t, resp, body, tt.status, tt.code)
		})
	}
	if s := r.server.Stats(); s.Begun != 0 {
		t.Errorf("calls were begun: %+v", s)
	}
}

func TestCallOverHTTPFails(t *testing.T) {
	inBubble(t, func(r *rig) {
		post := func() (*http.Response, string) {
			return r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		}
		r.backend.failAnswer = fmt.Errorf("media: read offer: %w", errTooBig)
		resp, body := post()
		wantProblem(t, resp, body, http.StatusBadRequest, "invalid_offer")
		r.backend.failAnswer = nil
		synctest.Wait() // the call that failed has given back its place
		r.backend.hold = make(chan struct{})
		resp, body = post()
		wantProblem(t, resp, body, http.StatusGatewayTimeout, "answer_timeout")
		r.backend.hold = nil
		synctest.Wait()
		if r.server.Live() != 0 {
			t.Error("failed calls are still live")
		}
		post()
		resp, body = post()
		wantProblem(t, resp, body, http.StatusServiceUnavailable, "busy")
		if resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		for range 30 {
			resp, body = post()
		}
		wantProblem(t, resp, body, http.StatusTooManyRequests, "rate_limited")
	}, func(o *Options) { o.Config.MaxCalls = 1 })
}

// A call without a socket ends with its peer.
func TestCallOverHTTPEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(*fakePeer)
		cause   string
		after   time.Duration
	}{
		"never connected": {func(*fakePeer) {}, "lost", 30 * time.Second},
		"failed":          {func(p *fakePeer) { p.events.State(PeerConnected); p.events.State(PeerFailed) }, "lost", 0},
		"closed":          {func(p *fakePeer) { p.events.State(PeerConnected); p.events.State(PeerClosed) }, "hang_up", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
				talk, peer := <-r.backend.talks, <-r.backend.peers
				start := time.Now()
				tt.happens(peer)
				<-peer.closed
				if cause, _ := talk.ended(); cause != tt.cause || time.Since(start) != tt.after {
					t.Errorf("ended for %q after %v", cause, time.Since(start))
				}
			})
		})
	}
}

func TestConnectedCallStays(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		peer := <-r.backend.peers
		peer.events.State(PeerConnected)
		peer.events.State(PeerDisconnected)
		time.Sleep(time.Hour)
		if r.server.Live() != 1 {
			t.Error("the call ended")
		}
	})
}

// What waits for a data channel that never opens is bounded.
func TestPendingIsBounded(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		talk, peer := <-r.backend.talks, <-r.backend.peers
		for i := range 3 * maxPending {
			talk.emit(conversation.TimerRang{Label: fmt.Sprint(i)})
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		peer.events.ChannelOpen(true)
		synctest.Wait()
		if n := len(peer.sent); n != maxPending {
			t.Errorf("%d events waited", n)
		}
		if n := r.server.Stats().UndeliveredEvents; n != 2*maxPending+2 {
			t.Errorf("%d were counted as undelivered", n)
		}
	})
}

func TestChannelMessageRate(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		peer := <-r.backend.peers
		peer.events.ChannelOpen(true)
		for range 1000 {
			peer.events.Message([]byte(`{"type":"conversation.item.retrieve","item_id":"x"}`))
		}
		synctest.Wait()
		complaints := 0
		for n := len(peer.sent); n > 0; n-- {
			if strings.Contains(<-peer.sent, "rate_limited") {
				complaints++
			}
		}
		if complaints != 1 {
			t.Errorf("%d complaints about 1000 messages at once", complaints)
		}
	})
}

func TestConfigRoute(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Config.Key = "secret"
		o.Config.ICEServers = []ICEServer{{URLs: []string{"stun:example.com"}}}
	})
	resp, body := r.do("GET", "/api/config", "", "Authorization", "Bearer secret")
	var got struct {
		Version    string
		Key        bool `json:"key_required"`
		Engines    map[string]string
		ICEServers []ICEServer `json:"ice_servers"`
		Session    struct {
			Type       string
			Modalities []string `json:"output_modalities"`
		}
		Window int `json:"resume_window_ms"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || got.Version != "test" || !got.Key || got.Engines["stt"] != "scripted" || len(got.ICEServers) != 1 ||
		got.Session.Type != "realtime" || got.Session.Modalities[0] != "audio" || got.Window != 30000 || strings.Contains(body, "secret") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}
