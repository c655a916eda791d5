package webclient

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// fake.js stands in for the network and the microphone inside the page.
//
//go:embed testdata/fake.js
var fakeScript string

// shotsDir names a folder for screenshots of every state, theme and width; empty takes none.
const shotsDir = "PARLEY_SHOTS"

// scenes are the states of the page: what each must show as its state and on its card.
var scenes = []struct{ name, state, card string }{
	{"idle", "idle", ""},
	{"asking", "connecting", ""},
	{"listening", "listening", ""},
	{"ready", "listening", ""},
	{"talking", "hearing", ""},
	{"hearing", "hearing", ""},
	{"thinking", "thinking", ""},
	{"speaking", "speaking", ""},
	{"answering", "speaking", ""},
	{"finished", "listening", ""},
	{"table", "listening", ""},
	{"muted", "listening", ""},
	{"notice", "listening", ""},
	{"reconnecting", "reconnecting", ""},
	{"ended", "ended", ""},
	{"unreachable", "error", "unreachable"},
	{"busy", "error", "busy"},
	{"key", "error", "key"},
	{"denied", "listening", "mic_denied"},
	{"nomic", "listening", "mic_missing"},
	{"micbusy", "listening", "mic_busy"},
	{"insecure", "listening", "insecure"},
	{"blocked", "listening", "autoplay"},
	{"noaudio", "listening", "no_audio"},
}

// TestStates brings the built page into every state in a real browser, under
// its real headers, and lets axe look at each in both themes. Policy violations
// and script errors fail it as well.
func TestStates(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser and some twenty seconds")
	}
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe-core is not installed: run npm ci in webclient")
	}
	ctx := browser(t)
	server := httptest.NewServer(fakeServer())
	t.Cleanup(server.Close)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			resize(t, ctx, 1280)
			got := play(t, ctx, server.URL, scene.name)
			if got.State != scene.state || got.Card != scene.card {
				t.Errorf("got state %q and card %q, want %q and %q", got.State, got.Card, scene.state, scene.card)
			}
			evaluate[bool](t, ctx, string(axe)+";true")
			for _, theme := range []string{"light", "dark"} {
				inspect(t, ctx, theme)
			}
			shoot(t, ctx, scene.name)
			if complaints := evaluate[[]string](t, ctx, "fake.complaints"); len(complaints) > 0 {
				t.Errorf("the browser complained: %s", strings.Join(complaints, "\n"))
			}
		})
	}
}

// shown is what a scene came to.
type shown struct{ State, Card string }

// play opens the page afresh and plays a scene.
func play(t *testing.T, ctx context.Context, url, scene string) shown {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url+"/?"+scene)); err != nil {
		t.Fatal(err)
	}
	return evaluate[shown](t, ctx, fmt.Sprintf("localStorage.clear(), fake.play(%q)", scene))
}

// finding is one rule that axe found broken.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// inspect runs axe in one theme; findings that are serious or critical fail.
func inspect(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	setTheme(t, ctx, theme)
	found := evaluate[[]finding](t, ctx, `axe.run({resultTypes: ['violations']}).then((r) => r.violations.map(
		({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({html, failureSummary}) => ({html, failureSummary}))})))`)
	for _, v := range found {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("%s: %s (%s): %s: %+v", theme, v.ID, v.Impact, v.Help, v.Nodes)
		} else {
			t.Logf("%s: %s (%s): %s: %+v", theme, v.ID, v.Impact, v.Help, v.Nodes)
		}
	}
}

// shoot checks that nothing sticks out at the usual widths and, where asked,
// takes pictures there in both themes.
func shoot(t *testing.T, ctx context.Context, scene string) {
	t.Helper()
	dir := os.Getenv(shotsDir)
	for _, width := range []int64{360, 768, 1280, 1440} {
		resize(t, ctx, width)
		overflow := evaluate[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`)
		if overflow > 0 {
			t.Errorf("%d px wide: the page is %d px wider", width, overflow)
		}
		if width > 1000 && evaluate[int](t, ctx, `document.documentElement.scrollHeight - innerHeight`) > 0 {
			t.Errorf("%d px wide: the page scrolls, and only its parts should", width)
		}
		if dir == "" || width == 1440 {
			continue
		}
		for _, theme := range []string{"light", "dark"} {
			setTheme(t, ctx, theme)
			evaluate[bool](t, ctx, `new Promise((done) => setTimeout(() => done(true), 150))`)
			take := chromedp.CaptureScreenshot()
			if scene == "finished" || scene == "table" {
				take = chromedp.FullScreenshot(100)
			}
			png, err := chromedp.Run(ctx, take)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", scene, width, theme))
			if err := os.WriteFile(name, png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// heights are those of a usual screen of each width, px.
var heights = map[int64]int64{360: 740, 768: 1024, 1280: 800, 1440: 900}

func resize(t *testing.T, ctx context.Context, width int64) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: heights[width], DeviceScaleFactor: 1, Mobile: width < 500,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func setTheme(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	evaluate[bool](t, ctx, fmt.Sprintf(`(async () => {
		for (let i = 0; i < 3 && document.documentElement.dataset.theme !== %q; i++) {
			document.getElementById('theme-toggle').click();
			await new Promise(requestAnimationFrame);
		}
		return true;
	})()`, theme))
	if got := evaluate[string](t, ctx, `document.documentElement.dataset.theme`); got != theme {
		t.Fatalf("theme: got %s, want %s", got, theme)
	}
}

// evaluate runs an expression in the page and waits for its promise.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// fakeServer is the page and its configuration; the socket is fake.js's work.
func fakeServer() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", Handler())
	mux.HandleFunc("GET /api/config", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"version": "0.1.0", "key_required": false,
			"engines": map[string]string{"stt": "pocketsphinx", "llm": "builtin", "tts": "flite"},
		})
	})
	return mux
}

// browser starts a headless browser for the test, or skips it where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium or Chrome on this machine")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("disable-dev-shm-usage", true))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancelTime)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fakeScript}); err != nil {
		t.Fatal(err)
	}
	return ctx
}
