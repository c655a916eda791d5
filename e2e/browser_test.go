package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/app"
	"parley/audio"
	"parley/store"
)

// startServer runs parley with its embedded engines, as `make run` does, and
// returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	return serve(t, func(c *app.Config) { c.LLM.Engine, c.Data = "builtin", t.TempDir() })
}

// serve runs parley on loopback, with the default configuration as change leaves it.
func serve(t *testing.T, change func(*app.Config)) string {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Models = modelDir()
	change(&cfg)
	cfg.Media.UDPAddress, cfg.Media.TCPAddress = "127.0.0.1:0", "127.0.0.1:0"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan string, 1), make(chan error, 1)
	go func() {
		over <- app.Serve(ctx, cfg, app.Options{Listener: listener, Ready: func(r app.Running) { ready <- r.URL }})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	select {
	case url := <-ready:
		return url
	case err := <-over:
		over <- err
		t.Fatal(err)
	}
	return ""
}

// microphone writes a recording with silence around it, as Chromium's fake
// microphone wants it: playback starts when the page opens the microphone.
func microphone(t *testing.T, name string, lead time.Duration) string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", "speech", name))
	must(t, err)
	defer f.Close()
	pcm, rate, err := audio.ReadWAV(f)
	must(t, err)
	all := append(make([]int16, audio.DurationToSamples(lead, rate)), pcm...)
	all = append(all, make([]int16, 20*rate)...)
	path := filepath.Join(t.TempDir(), name)
	out, err := os.Create(path)
	must(t, err)
	must(t, audio.WriteWAV(out, all, rate))
	must(t, out.Close())
	return path
}

// chromium starts a headless browser whose microphone plays wav.
func chromium(t *testing.T, wav string) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed; run scripts/setup.sh test")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("mute-audio", false), chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", wav+"%noloop"),
		chromedp.Flag("allow-loopback-in-peer-connection", true), chromedp.WindowSize(1280, 800))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancelTime)
	must(t, chromedp.Do(ctx))
	return ctx
}

// evaluate runs an expression in the page and waits for its promise.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits, in the page, for an expression to be true, and for 40 s at most.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	ok := evaluate[bool](t, ctx, fmt.Sprintf(`new Promise((done) => {
		const end = performance.now() + 40000;
		const look = () => (%s) ? done(true) : performance.now() > end ? done(false) : setTimeout(look, 50);
		look();
	})`, condition))
	if !ok {
		t.Fatalf("never came true: %s\nstate: %s\ntranscript: %s", condition,
			evaluate[string](t, ctx, `document.getElementById('status').dataset.state`),
			evaluate[string](t, ctx, `document.getElementById('transcript').innerText`))
	}
}

// heardSound is the energy of what the page has played of the answer, and for
// how long it has received any.
const heardSound = `window.__parley.peer().getStats().then((stats) => {
	for (const s of stats.values()) if (s.type === 'inbound-rtp' && s.kind === 'audio')
		return {energy: s.totalAudioEnergy, packets: s.packetsReceived, concealed: s.concealedSamples - (s.silentConcealedSamples || 0)};
	return {energy: 0, packets: 0, concealed: 0};
})`

type sound struct {
	Energy    float64
	Packets   int
	Concealed int
}

// A person opens the page, calls, asks aloud, and hears and reads the answer.
func TestSpokenQuestionInChromium(t *testing.T) {
	url := startServer(t)
	ctx := chromium(t, microphone(t, "brooklyn-bridge.wav", 3*time.Second))
	must(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	call(t, ctx, "mode-hands-free")
	until(t, ctx, `document.getElementById('status').dataset.state === 'listening'`)
	until(t, ctx, `/brooklyn bridge/i.test(document.getElementById('transcript').innerText)`)
	until(t, ctx, `document.getElementById('status').dataset.state === 'speaking'`)
	until(t, ctx, `document.getElementById('status').dataset.state === 'listening'`)

	got := evaluate[sound](t, ctx, heardSound)
	if got.Energy < 0.01 || got.Packets < 50 {
		t.Errorf("the answer was not heard: %+v", got)
	}
	text := evaluate[string](t, ctx, `document.getElementById('transcript').innerText`)
	if !strings.Contains(text, "built-in assistant") {
		t.Errorf("the answer is not to be read: %q", text)
	}
	until(t, ctx, `/End of speech/.test(document.getElementById('waterfall').innerText)`)
	evaluate[bool](t, ctx, `document.getElementById('call-button').click() ?? true`)
	until(t, ctx, `document.getElementById('status').dataset.state === 'ended'`)
	checkStored(t, url)
}

// call chooses a mode and calls.
func call(t *testing.T, ctx context.Context, mode string) {
	t.Helper()
	for _, id := range []string{mode, "call-button"} {
		until(t, ctx, fmt.Sprintf(`document.querySelector('[data-testid=%s]')`, id))
		evaluate[bool](t, ctx, fmt.Sprintf(`document.querySelector('[data-testid=%s]').click() ?? true`, id))
	}
}

// checkStored asks the server for what it remembers of the call.
func checkStored(t *testing.T, url string) {
	t.Helper()
	var calls struct{ Calls []store.Call }
	get(t, url+"/api/calls", &calls)
	if len(calls.Calls) != 1 {
		t.Fatalf("stored calls: %+v", calls)
	}
	var detail struct{ Turns []store.Turn }
	get(t, url+"/api/calls/"+calls.Calls[0].ID+"/turns", &detail)
	if len(detail.Turns) != 1 || !strings.Contains(detail.Turns[0].User, "brooklyn bridge") || detail.Turns[0].Status != "completed" {
		t.Fatalf("stored turns: %+v", detail)
	}
	if d, ok := detail.Turns[0].Timeline.ResponseTime(); !ok || d <= 0 {
		t.Errorf("stored timeline: %v, %v", d, ok)
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	res, err := http.Get(url)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, res.Status)
	}
	must(t, json.NewDecoder(res.Body).Decode(into))
}

// The same by push-to-talk: the button is held while the question sounds.
func TestPushToTalkInChromium(t *testing.T) {
	url := startServer(t)
	ctx := chromium(t, microphone(t, "what-time-is-it-1.wav", 2*time.Second))
	must(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	call(t, ctx, "mode-push-to-talk")
	until(t, ctx, `document.getElementById('talk-button') && !document.getElementById('talk-button').disabled`)
	const key = `document.body.dispatchEvent(new KeyboardEvent('%s', {key: ' ', code: 'Space', bubbles: true}))`
	evaluate[bool](t, ctx, fmt.Sprintf(key, "keydown"))
	until(t, ctx, `document.getElementById('status').dataset.state === 'hearing'`)
	evaluate[bool](t, ctx, `new Promise((done) => setTimeout(() => done(true), 4000))`)
	evaluate[bool](t, ctx, fmt.Sprintf(key, "keyup"))
	until(t, ctx, `document.getElementById('status').dataset.state === 'speaking'`)
	until(t, ctx, `/It.s \d+(:\d\d)? [AP]M/.test(document.getElementById('transcript').innerText)`)
	if got := evaluate[sound](t, ctx, heardSound); got.Packets == 0 {
		t.Errorf("no answer on the wire: %+v", got)
	}
}
