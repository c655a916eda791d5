package media

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/audio"
	"parley/internal/fault"
)

// offerSDP is what a browser offers, shortened. Lines end in \r\n.
func offerSDP(edit ...string) string {
	s := strings.ReplaceAll(`v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8g00
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=sendrecv
a=msid:stream mic
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=ssrc:1001 cname:caller
a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8g00
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
`, "\n", "\r\n")
	return strings.NewReplacer(edit...).Replace(s)
}

func TestCheckOffer(t *testing.T) {
	audioLine := "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8"
	for _, c := range []struct{ name, offer, want string }{
		{"a browser's", offerSDP(), ""},
		{"upper case", offerSDP("opus/48000/2", "OPUS/48000/2"), ""},
		{"bundle-only", offerSDP("m=audio 9", "m=audio 0", "a=mid:0", "a=mid:0\r\na=bundle-only"), ""},
		{"empty", "", "offer is empty"},
		{"not SDP", "hello", "not SDP"},
		{"no audio", offerSDP("m=audio", "m=video"), "offer has no audio"},
		{"audio switched off", offerSDP("m=audio 9", "m=audio 0"), "offer has no audio"},
		{"no Opus", offerSDP("opus/48000/2", "ISAC/16000"), "offers no codec parley speaks (Opus)"},
		{"Opus not listed", offerSDP("SAVPF 111 0 8", "SAVPF 0 8"), "offers no codec parley speaks (Opus)"},
		{"two microphones", offerSDP("m=application", audioLine+"\r\na=rtpmap:111 opus/48000/2\r\nm=application"), "parley takes one"},
		{"1000 media lines", offerSDP("m=application", strings.Repeat(audioLine+"\r\n", 1000)+"m=application"), "media lines"},
		{"100 candidates", offerSDP("a=mid:0", strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n", 100)+"a=mid:0"), "candidates"},
		{"10 MB", offerSDP() + strings.Repeat("a=x\r\n", 2<<20), "over the limit"},
		{"setup:active", offerSDP("actpass", "active"), "actpass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkOffer(c.offer)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.BadInput):
				t.Errorf("got %v (%v), want %q", err, fault.KindOf(err), c.want)
			}
		})
	}
}

func TestCheckOfferIsCheap(t *testing.T) {
	big := offerSDP() + strings.Repeat("a=x\r\n", 2<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := checkOffer(big); err == nil {
		t.Fatal("10 MB were taken")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("refusing it took %d bytes", got)
	}
}

// nobody hears nothing.
type nobody struct{}

func (nobody) Audio(audio.Frame)    {}
func (nobody) Message([]byte)       {}
func (nobody) ChannelOpen(bool)     {}
func (nobody) State(State)          {}
func (nobody) Candidate(*Candidate) {}

func loopbackEdge(tb testing.TB, cfg Config) *Edge {
	tb.Helper()
	e, err := NewEdge(cfg, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func TestAnswerSaysWhatParleySpeaks(t *testing.T) {
	e := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0"})
	p, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Answer(t.Context(), offerSDP(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a=setup:active", "a=rtpmap:111 opus/48000/2", "minptime=10;useinbandfec=1", "a=msid:parley voice",
		"a=max-message-size:16384", "a=sendrecv", " udp ", " tcp ", "127.0.0.1",
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("answer lacks %q", want)
		}
	}
	for _, not := range []string{"usedtx", "PCMU", "a=ice-lite", ".local"} {
		if strings.Contains(answer, not) {
			t.Errorf("answer has %q", not)
		}
	}
	if t.Failed() {
		t.Log(answer)
	}
}

func TestAnswerAdvertisesTheConfiguredAddress(t *testing.T) {
	e := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0", AdvertisedAddresses: []string{"203.0.113.7"}})
	p, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Answer(t.Context(), offerSDP(), false)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(answer, " 203.0.113.7 "); n < 2 || strings.Contains(answer, " 127.0.0.1 8") {
		t.Errorf("203.0.113.7 is in %d candidates of\n%s", n, answer)
	}
}

func TestRefusedOfferLeavesThePeerUsable(t *testing.T) {
	e := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0"})
	p, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", offerSDP("m=audio", "m=video"), offerSDP("a=fingerprint:", "a=x:"), offerSDP("a=ice-ufrag:", "a=x:")} {
		if _, err := p.Answer(t.Context(), bad, true); fault.KindOf(err) != fault.BadInput {
			t.Errorf("a bad offer: %v", err)
		}
	}
	p2, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p2.Answer(t.Context(), offerSDP(), true); err != nil {
		t.Error(err)
	}
	p2.Close()
	if _, err := p2.Answer(t.Context(), offerSDP(), true); fault.KindOf(err) != fault.Canceled {
		t.Errorf("a closed peer's answer: %v", err)
	}
}

func TestAddCandidateIsBounded(t *testing.T) {
	e := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0"})
	p, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	good := Candidate{Candidate: "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host"}
	if err := p.AddCandidate(Candidate{Candidate: strings.Repeat("x", 2000)}); fault.KindOf(err) != fault.BadInput {
		t.Errorf("2000 bytes: %v", err)
	}
	if err := p.AddCandidate(Candidate{Candidate: "candidate:1 1 udp 1 aa-bb.local 5 typ host"}); err != nil {
		t.Errorf("an mDNS name: %v", err)
	}
	refused := 0
	for range 100 {
		if p.AddCandidate(good) != nil {
			refused++
		}
	}
	if refused != 36 || len(p.early) != 64 {
		t.Errorf("%d of 100 early candidates refused, %d kept", refused, len(p.early))
	}
	if _, err := p.Answer(t.Context(), offerSDP(), true); err != nil {
		t.Fatal(err)
	}
	if err := p.AddCandidate(good); err != nil {
		t.Errorf("after the offer: %v", err)
	}
	if err := p.AddCandidate(Candidate{Candidate: "candidate:nonsense"}); fault.KindOf(err) != fault.BadInput {
		t.Errorf("nonsense: %v", err)
	}
	if err := p.AddCandidate(Candidate{}); err != nil {
		t.Errorf("the end of candidates: %v", err)
	}
}

// Offers without an ICE restart must not bring candidates without end.
func TestCandidatesAreBoundedOverOffers(t *testing.T) {
	e := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0"})
	p, err := e.NewPeer(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	trickle := func() {
		for i := range 40 {
			c := Candidate{Candidate: fmt.Sprintf("candidate:1 1 udp 2122260223 192.0.2.1 %d typ host", 1000+taken+i)}
			if p.AddCandidate(c) == nil {
				taken++
			}
		}
	}
	for i := range 5 { // a session-level line that nobody reads makes no restart
		if _, err := p.Answer(t.Context(), offerSDP("t=0 0", fmt.Sprintf("t=0 0\r\na=x:%d", i)), true); err != nil {
			t.Fatal(err)
		}
		trickle()
	}
	if taken != 64 {
		t.Errorf("%d candidates taken over five offers", taken)
	}
	refused := 0
	for i := range 100 {
		if _, err := p.Answer(t.Context(), offerSDP("192.0.2.1 50000", fmt.Sprintf("192.0.2.1 %d", 51000+i)), true); err != nil {
			refused++
		}
	}
	if refused != 100-63 {
		t.Errorf("%d of 100 offers refused, each with another candidate", refused)
	}
	if _, err := p.Answer(t.Context(), offerSDP(":F7gI", ":new1"), true); err != nil {
		t.Fatal(err)
	}
	taken = 0
	if trickle(); taken != 40 {
		t.Errorf("%d candidates taken after an ICE restart", taken)
	}
}

// eager opens another channel while it is told of the end of one.
type eager struct {
	nobody
	again func()
	told  []bool
}

func (e *eager) ChannelOpen(open bool) {
	if !open {
		e.again()
	}
	e.told = append(e.told, open)
}

func TestReopenedChannelIsToldInOrder(t *testing.T) {
	var again sync.WaitGroup
	h := &eager{}
	p := &Peer{h: h}
	h.again = func() {
		again.Go(func() { p.tellChannel(true, func() {}) })
		for range 100 {
			runtime.Gosched()
		}
	}
	p.tellChannel(true, func() {})
	p.tellChannel(false, func() { p.events.lose(nil) })
	again.Wait()
	if !slices.Equal(h.told, []bool{true, false, true}) {
		t.Errorf("told %v", h.told)
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(offerSDP())
	f.Add(offerSDP("actpass", "passive", "a=sendrecv", "a=recvonly"))
	f.Add(offerSDP("a=mid:0", "a=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rid:h send\r\na=simulcast:send h"))
	f.Add("v=0\r\nm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\n")
	e := loopbackEdge(f, Config{UDPAddress: "127.0.0.1:0"})
	f.Fuzz(func(t *testing.T, offer string) {
		if checkOffer(offer) != nil {
			return
		}
		p, err := e.NewPeer(nobody{})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		defer func() {
			p.Close()
			if took := time.Since(begun); took > 2*time.Second {
				t.Fatalf("it took %v", took)
			}
		}()
		answer, err := p.Answer(t.Context(), offer, true)
		switch k := fault.KindOf(err); {
		case err != nil && k != fault.BadInput && k != fault.Failed:
			t.Fatalf("error of kind %v: %v", k, err)
		case err == nil:
			var s webrtc.SessionDescription
			s.Type, s.SDP = webrtc.SDPTypeAnswer, answer
			if _, err := s.Unmarshal(); err != nil {
				t.Fatalf("the answer is not SDP: %v", err)
			}
		}
	})
}
