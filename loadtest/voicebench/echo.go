package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"gopkg.in/hraban/opus.v2"

	"parley/audio"
)

const (
	echoLoud  = -45.0 // dBFS of a packet that counts as speech
	echoTone  = 400 * time.Millisecond
	frameRate = 48000
)

// echo is the floor: the least a voice server in Go on Pion can be. It decodes
// every packet, waits out the silence after the last loud one and answers with
// a tone that was encoded beforehand. One UDP port serves all calls.
type echo struct {
	api  *webrtc.API
	tone [][]byte

	mu    sync.Mutex
	calls map[string]*webrtc.PeerConnection
}

// serveEcho runs the echo server until ctx ends.
func serveEcho(ctx context.Context, addr string) error {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	e := &echo{calls: map[string]*webrtc.PeerConnection{}}
	if e.tone, err = encodeTone(); err != nil {
		return err
	}
	mux := webrtc.NewICEUDPMux(nil, udp)
	defer mux.Close()
	if e.api, err = echoAPI(mux); err != nil {
		return err
	}
	server := &http.Server{Addr: addr, Handler: e.routes(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = server.Close()
		<-ended
	}
	e.closeAll()
	return err
}

// echoAPI is Pion with Opus and nothing else: no interceptors, as the server
// takes the DTLS client role like parley.
func echoAPI(mux ice.UDPMux) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: opusCodec(), PayloadType: 111}
	if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEUDPMux(mux)
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(s)), nil
}

func opusCodec() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: frameRate, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
}

func (e *echo) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/realtime/calls", func(w http.ResponseWriter, r *http.Request) {
		if err := e.answer(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("DELETE /v1/realtime/calls/{id}", func(_ http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		pc := e.calls[r.PathValue("id")]
		delete(e.calls, r.PathValue("id"))
		e.mu.Unlock()
		if pc != nil {
			_ = pc.GracefulClose()
		}
	})
	return mux
}

func (e *echo) answer(w http.ResponseWriter, r *http.Request) error {
	offer, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return err
	}
	pc, err := e.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return err
	}
	track, err := webrtc.NewTrackLocalStaticRTP(opusCodec(), "tone", "echo")
	if err != nil {
		return err
	}
	if _, err := pc.AddTrack(track); err != nil {
		return err
	}
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { e.serve(remote, track) })
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	e.mu.Lock()
	id := fmt.Sprint(len(e.calls), "-", time.Now().UnixNano())
	e.calls[id] = pc
	e.mu.Unlock()
	w.Header().Set("Location", "/v1/realtime/calls/"+id)
	w.Header().Set("Content-Type", "application/sdp")
	w.WriteHeader(http.StatusCreated)
	_, err = io.WriteString(w, pc.LocalDescription().SDP)
	return err
}

// serve is one call: it reads until the call ends.
func (e *echo) serve(remote *webrtc.TrackRemote, track *webrtc.TrackLocalStaticRTP) {
	dec, err := opus.NewDecoder(audio.SpeechRate, 1)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var player sync.WaitGroup
	defer player.Wait()
	defer cancel()
	header := rtp.Header{Version: 2}
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	player.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-silence.C:
				e.play(ctx, track, &header)
			}
		}
	})
	buf, pcm := make([]byte, 1500), make([]int16, audio.SpeechRate*120/1000)
	var packet rtp.Packet
	for {
		n, _, err := remote.Read(buf)
		if err != nil {
			return
		}
		if packet.Unmarshal(buf[:n]) != nil {
			continue
		}
		n, err = dec.Decode(packet.Payload, pcm)
		if err == nil && audio.DBFS(audio.RMS(pcm[:n])) > echoLoud {
			silence.Reset(silenceMS * time.Millisecond)
		}
	}
}

// play sends the tone, a packet every 20 ms on absolute deadlines.
func (e *echo) play(ctx context.Context, track *webrtc.TrackLocalStaticRTP, header *rtp.Header) {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, payload := range e.tone {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		header.Marker = i == 0
		if track.WriteRTP(&rtp.Packet{Header: *header, Payload: payload}) != nil {
			return
		}
		header.SequenceNumber++
		header.Timestamp += frameRate / 50
		timer.Reset(time.Until(start.Add(time.Duration(i+1) * audio.FrameDuration)))
	}
}

func (e *echo) closeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, pc := range e.calls {
		_ = pc.GracefulClose()
	}
}

func encodeTone() ([][]byte, error) {
	enc, err := opus.NewEncoder(24000, 1, opus.AppVoIP)
	if err != nil {
		return nil, err
	}
	var packets [][]byte
	pcm, buf := make([]int16, 480), make([]byte, 1500)
	for f := range int(echoTone / audio.FrameDuration) {
		for i := range pcm {
			pcm[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(f*480+i)/24000))
		}
		n, err := enc.Encode(pcm, buf)
		if err != nil {
			return nil, err
		}
		packets = append(packets, append([]byte(nil), buf[:n]...))
	}
	return packets, nil
}
