package loadtest

import (
	"fmt"
	"io"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// line is the media path: a peer connection with a microphone track, the far
// side's track and the events' data channel.
type line struct {
	pc     *webrtc.PeerConnection
	track  *webrtc.TrackLocalStaticRTP
	events *webrtc.DataChannel // nil without events
	remote chan remoteTrack    // holds the first remote track; others are ignored
}

type remoteTrack struct {
	track    *webrtc.TrackRemote
	receiver *webrtc.RTPReceiver
}

// newLine makes the peer connection as a browser would: Opus both ways, with
// RTCP reports, and a data channel. Nothing runs before the offer is set.
func newLine(o Options, servers []iceServer) (*line, error) {
	api, err := newAPI(o)
	if err != nil {
		return nil, fmt.Errorf("loadtest: peer connection: %w", err)
	}
	var config webrtc.Configuration
	for _, s := range servers {
		config.ICEServers = append(config.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	l := &line{remote: make(chan remoteTrack, 1)}
	if l.pc, err = api.NewPeerConnection(config); err != nil {
		return nil, fmt.Errorf("loadtest: peer connection: %w", err)
	}
	if err := l.open(o); err != nil {
		_ = l.pc.GracefulClose()
		return nil, fmt.Errorf("loadtest: peer connection: %w", err)
	}
	return l, nil
}

func (l *line) open(o Options) (err error) {
	l.track, err = webrtc.NewTrackLocalStaticRTP(opusCodec(), "microphone", "caller")
	if err != nil {
		return err
	}
	if _, err := l.pc.AddTrack(l.track); err != nil {
		return err
	}
	l.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		select {
		case l.remote <- remoteTrack{t, r}:
		default:
		}
	})
	if !o.NoEvents {
		l.events, err = l.pc.CreateDataChannel("oai-events", nil)
	}
	return err
}

func (l *line) write(p *rtp.Packet) error { return l.track.WriteRTP(p) }

func opusCodec() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: wireRate, Channels: 2,
		SDPFmtpLine: "minptime=10;useinbandfec=1",
	}
}

func newAPI(o Options) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: opusCodec(), PayloadType: 111}
	if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	receiver, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	sender, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	interceptors.Add(receiver)
	interceptors.Add(sender)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings(o))), nil
}

func settings(o Options) webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// The track is known before its first packet, whose arrival is what is measured.
	s.SetFireOnTrackBeforeFirstRTP(true)
	// With events, their channel's end tells that the far side has closed.
	s.DisableCloseByDTLS(!o.NoEvents)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4}
	if at, err := parseAddress(o.URL); err == nil && at.local {
		s.SetIncludeLoopbackCandidate(true)
		networks = []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4}
	}
	if o.Net != nil {
		s.SetNet(o.Net)
		networks = []webrtc.NetworkType{webrtc.NetworkTypeUDP4}
	}
	s.SetNetworkTypes(networks)
	if o.Tune != nil {
		o.Tune(&s)
	}
	return s
}
