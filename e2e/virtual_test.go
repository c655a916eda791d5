package e2e

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"

	"parley/app"
	"parley/loadtest"
)

// pipes is a network of pipes in memory, for HTTP in fake time: sockets of the
// kernel would stop the clock of a bubble.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// loopback is a pipe's end with an address, which the server asks for.
type loopback struct{ net.Conn }

func (loopback) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- loopback{far}:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// testConfig is a server with scripted engines and the real detector.
func testConfig() app.Config {
	c := app.DefaultConfig()
	c.Models = modelDir()
	c.VAD.Engine = "silero"
	c.Session.Silence = 200 * time.Millisecond
	c.STT.Engine, c.LLM.Engine, c.TTS.Engine = "scripted", "scripted", "scripted"
	c.STT.Scripted.Transcripts = []string{"the first question", "the second question", "the third question"}
	c.LLM.Scripted.Replies = []string{"One two three four five six. Seven eight nine ten eleven twelve.", "The second answer."}
	c.Store.Engine = "none"
	c.Media.UDPAddress, c.Media.TCPAddress = "10.0.0.1:8189", ""
	return c
}

// modelDir is where set-up puts the weights.
func modelDir() string {
	dir, err := filepath.Abs(filepath.Join("..", "models"))
	if err != nil {
		return "models"
	}
	return dir
}

// virtual is a server and the air between it and callers, in a bubble.
type virtual struct {
	t     *testing.T
	pipes *pipes
	nets  [2]*vnet.Net // server, caller
	// lose decides what becomes of each UDP packet; nil passes all.
	mu   sync.Mutex
	lose func(at time.Time, c vnet.Chunk) bool
}

// inFakeTime runs a server and test in a bubble. The bubble proves that no
// goroutine is left of either.
func inFakeTime(t *testing.T, cfg app.Config, test func(v *virtual)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &virtual{t: t, pipes: newPipes()}
		router, err := vnet.NewRouter(&vnet.RouterConfig{
			CIDR: "10.0.0.0/24", MinDelay: 10 * time.Millisecond, LoggerFactory: logging.NewDefaultLoggerFactory(),
		})
		must(t, err)
		for i, ip := range []string{"10.0.0.1", "10.0.0.2"} {
			v.nets[i], err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
			must(t, err)
			must(t, router.AddNet(v.nets[i]))
		}
		router.AddChunkFilter(v.passes)
		must(t, router.Start())
		ctx, cancel := context.WithCancel(context.Background())
		ready, over := make(chan struct{}), make(chan error, 1)
		go func() {
			over <- app.Serve(ctx, cfg, app.Options{
				Listener: v.pipes, Net: v.nets[0], Ready: func(app.Running) { close(ready) },
			})
		}()
		select {
		case <-ready:
		case err := <-over:
			t.Fatal(err)
		}
		test(v)
		cancel()
		if err := <-over; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		must(t, router.Stop())
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (v *virtual) passes(c vnet.Chunk) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lose == nil || !v.lose(time.Now(), c)
}

// impair decides from now on which packets are lost; nil loses none.
func (v *virtual) impair(lose func(at time.Time, c vnet.Chunk) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lose = lose
}

// isMedia tells RTP of the caller, whose first byte says version 2 (RFC 7983).
func isMedia(c vnet.Chunk) bool {
	data := c.UserData()
	return len(data) > 12 && data[0]>>6 == 2 && c.SourceAddr().String()[:8] == "10.0.0.2"
}

// lossy loses this share of the caller's media, the same packets at each run.
func lossy(share float64) func(time.Time, vnet.Chunk) bool {
	dice := rand.New(rand.NewPCG(1, 2))
	return func(_ time.Time, c vnet.Chunk) bool { return isMedia(c) && dice.Float64() < share }
}

func (v *virtual) call(o loadtest.Options) (*loadtest.Caller, context.Context) {
	v.t.Helper()
	return v.callFrom(v.nets[1], o)
}

func (v *virtual) callFrom(n transport.Net, o loadtest.Options) (*loadtest.Caller, context.Context) {
	v.t.Helper()
	o.URL, o.NetDial, o.Net = "http://127.0.0.1:80", v.pipes.dial, n
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	v.t.Cleanup(cancel)
	c, err := loadtest.Dial(ctx, o)
	must(v.t, err)
	return c, ctx
}

// metric reads one number from /metrics, -1 where it is not there.
func (v *virtual) metric(name string) float64 {
	v.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: v.pipes.dial, DisableKeepAlives: true}}
	res, err := client.Get("http://127.0.0.1:80/metrics")
	must(v.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(v.t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			must(v.t, err)
			return n
		}
	}
	return -1
}

// clip loads a recording that comes with the project.
func clip(t *testing.T, name string) *loadtest.Clip {
	t.Helper()
	c, err := loadtest.LoadClip(filepath.Join("..", "testdata", "speech", name))
	must(t, err)
	return c
}

func TestMain(m *testing.M) {
	if _, err := os.Stat(filepath.Join(modelDir(), "silero_vad_v6.onnx")); err != nil {
		println("e2e: the weights of the detector are missing; run scripts/setup.sh test")
		os.Exit(1)
	}
	os.Exit(m.Run())
}
