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

// Running tells where a server listens.
type Running struct {
	URL     string            // of the page
	Engines map[string]string // stage → engine
	Key     string            // made up for this run because none was set; else ""
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
			return fmt.Errorf("cannot listen on %s; is another parley running? Choose another address with --listen: %w", cfg.Listen, err)
		}
	}
	defer listener.Close()
	s, err := build(ctx, cfg, o)
	if err != nil {
		return err
	}
	defer s.close()
	if o.Ready != nil {
		o.Ready(Running{URL: pageURL(listener.Addr()), Engines: s.engines.names(), Key: made})
	}
	return s.serve(ctx, listener)
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
func build(ctx context.Context, cfg Config, o Options) (s *server, err error) {
	s = &server{cfg: cfg, log: o.Log, traffic: &traffic{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.engines, err = newEngines(ctx, cfg, o.Log); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.engines.close)
	detectors, kind, err := newDetectors(cfg, o.Log)
	if err != nil {
		return nil, err
	}
	s.engines.vad = kind
	if s.edge, err = newEdge(cfg, media.Options{Log: o.Log, Net: o.Net}); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() { s.logClose("media", s.edge.Close()) })
	if err = s.openStore(ctx); err != nil {
		return nil, err
	}
	registry, consumers := s.observers()
	consumers = append(consumers, s.recorder.Consume)
	return s, s.mount(detectors, consumers, registry, o)
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
		Config: c, Log: s.log, Version: o.Version, Engines: s.engines.names(), Session: s.cfg.Session,
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
	s.http = newHTTPServer(routes(sig, s.db, registry, o.Version, s.log), s.log)
	return nil
}

// serve answers until ctx is done, then drains.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	var work sync.WaitGroup
	work.Go(func() { failed <- s.http.Serve(l) })
	defer work.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("app: serve: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("shutting down", "calls", s.signaling.Live())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := errors.Join(s.signaling.Shutdown(end), s.http.Shutdown(end))
	if err != nil {
		s.logClose("http", s.http.Close())
	}
	return err
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
		return err
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
