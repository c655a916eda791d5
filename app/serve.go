package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/pion/transport/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"parley/conversation"
	"parley/internal/endpoint"
	"parley/media"
	"parley/observe"
	"parley/signaling"
	"parley/signaling/realtime"
	"parley/store"
	"parley/store/recorder"
	"parley/store/sqlite"
)

// drainTime is how long calls may take to say goodbye at shutdown.
const drainTime = 10 * time.Second

// Running tells where a server listens, and what a person should know of it.
type Running struct {
	URL     string            // of the page
	Engines map[string]string // stage → engine
	Key     string            // made up for this run because none was set; else ""
	Notes   []string          // what works less well than it could, and what to do about it
}

// Options of Serve. The zero value works.
type Options struct {
	Version string
	Log     *slog.Logger
	Ready   func(Running) // called once the server answers
	// Listener and Net replace the machine's networks for HTTP and for media;
	// whole-call tests give virtual ones.
	Listener net.Listener
	Net      transport.Net
}

// Serve runs parley until ctx is done, then says goodbye to every call and
// returns when all its goroutines have ended.
func Serve(ctx context.Context, cfg Config, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	made, err := secure(&cfg)
	if err != nil {
		return err
	}
	listener := o.Listener
	if listener == nil {
		if listener, err = net.Listen("tcp", cfg.Listen); err != nil {
			return cannotListen(cfg.Listen, err)
		}
	}
	defer listener.Close()
	s, err := build(ctx, cfg, o)
	if err != nil {
		return err
	}
	defer s.close()
	if o.Ready != nil {
		o.Ready(Running{URL: pageURL(listener.Addr()), Engines: s.engines.choices.names(), Key: made, Notes: s.engines.choices.notes()})
	}
	return s.serve(ctx, listener)
}

// cannotListen says why, and what to do about it.
func cannotListen(address string, err error) error {
	why, do := plain(err), "choose another address with --listen"
	if errors.Is(err, syscall.EADDRINUSE) {
		do = "is another parley running? If not, " + do
	}
	return fmt.Errorf("cannot listen on %s: %s; %s", address, why, do)
}

// secure makes up a key where parley can be reached from elsewhere and none is set.
func secure(cfg *Config) (made string, err error) {
	if cfg.Loopback() || cfg.Key != "" {
		return "", nil
	}
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("app: make a key: %w", err)
	}
	made = base64.RawURLEncoding.EncodeToString(raw)
	cfg.Key = endpoint.Secret(made)
	return made, nil
}

func pageURL(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// server is everything that runs.
type server struct {
	cfg       Config
	log       *slog.Logger
	engines   *engines
	edge      *media.Edge
	signaling *signaling.Server
	db        store.Store
	recorder  *recorder.Recorder
	traffic   *traffic
	http      *http.Server
	closers   []func()
}

// build makes all parts. On error it closes those it had made.
func build(ctx context.Context, cfg Config, o Options) (*server, error) {
	s := &server{cfg: cfg, log: o.Log, traffic: &traffic{}}
	if err := s.fill(ctx, o); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *server) fill(ctx context.Context, o Options) (err error) {
	if s.engines, err = newEngines(ctx, s.cfg, o.Log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.engines.close)
	detectors, detector, err := newDetectors(s.cfg)
	if err != nil {
		return err
	}
	s.engines.choices["vad"] = detector
	detector.tell(o.Log, "vad")
	if s.edge, err = newEdge(s.cfg, media.Options{Log: o.Log, Net: o.Net}); err != nil {
		return fmt.Errorf("%w; set media.udp_address and media.tcp_address to ports that are free", cannotReceive(err))
	}
	s.closers = append(s.closers, func() { s.logClose("media", s.edge.Close()) })
	if err = s.openStore(ctx); err != nil {
		return err
	}
	registry, consumers := s.observers()
	consumers = append(consumers, s.recorder.Consume, s.tidy())
	return s.mount(detectors, consumers, registry, o)
}

// tidy starts to give memory back between calls.
func (s *server) tidy() (consume func(conversation.Envelope)) {
	t := newTidier()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { t.run(ctx) })
	s.closers = append(s.closers, func() { cancel(); work.Wait() })
	return t.Consume
}

// observers are what reads the event stream for people.
func (s *server) observers() (*prometheus.Registry, []func(conversation.Envelope)) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := observe.NewMetrics(registry)
	observe.Register(registry, s.traffic.readings(s.edge)...)
	return registry, []func(conversation.Envelope){metrics.Consume, observe.NewLog(s.log).Consume}
}

func (s *server) mount(detectors func() conversation.Detector, consume []func(conversation.Envelope), registry *prometheus.Registry, o Options) error {
	c := s.cfg.Signaling
	c.Key = s.cfg.Key.Reveal()
	sig, err := signaling.New(signaling.Options{
		Config: c, Log: s.log, Version: o.Version, Engines: s.engines.choices.names(), Session: s.cfg.Session,
		Backend: &backend{
			session: s.cfg.Session, engines: s.engines, detectors: detectors, edge: s.edge,
			consume: consume, traffic: s.traffic, log: s.log,
		},
		Names: realtime.Names{},
	})
	if err != nil {
		return err
	}
	s.signaling = sig
	s.http = newHTTPServer(face{sig, s.db, registry, o.Version, s.log}.handler(), s.log)
	return nil
}

// serve answers until ctx is done, then drains.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	var work sync.WaitGroup
	work.Go(func() { failed <- s.http.Serve(l) })
	defer work.Wait()
	var cause error
	select {
	case err := <-failed:
		cause = fmt.Errorf("app: serve: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("shutting down", "calls", s.signaling.Live())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := errors.Join(s.signaling.Shutdown(end), s.http.Shutdown(end))
	if err != nil {
		s.logClose("http", s.http.Close())
	}
	return errors.Join(cause, err)
}

// close ends the parts in the reverse order of their making.
func (s *server) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.closers = nil
}

func (s *server) logClose(part string, err error) {
	if err != nil {
		s.log.Warn("part did not close cleanly", "part", part, "err", err)
	}
}

// openStore opens what cfg names and puts a recorder before it.
func (s *server) openStore(ctx context.Context) error {
	db, err := openStore(ctx, s.cfg)
	if err != nil {
		return fmt.Errorf("%w; set store.path, or store.engine to none", cannotStore(s.cfg, err))
	}
	s.db = db
	s.closers = append(s.closers, func() { s.logClose("store", db.Close()) })
	s.recorder = recorder.New(db, s.log)
	s.closers = append(s.closers, func() {
		end, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		s.logClose("recorder", s.recorder.Close(end))
	})
	return nil
}

func openStore(ctx context.Context, cfg Config) (store.Store, error) {
	if cfg.Store.Engine == "none" {
		return store.None{}, nil
	}
	return sqlite.Open(ctx, cfg.StorePath())
}

// cannotStore says which file is the trouble, and why.
func cannotStore(cfg Config, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("calls cannot be stored in %s: %s", cfg.StorePath(), plain(err))
}
