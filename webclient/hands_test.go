package webclient

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

var press, release = []string{"parley.talk.start"}, []string{"parley.talk.stop"}

// TestTalkingByHand presses real keys and a real mouse button on the page: what
// talks, what does not, and what lets go.
func TestTalkingByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	ctx := browser(t)
	server := httptest.NewServer(fakeServer())
	t.Cleanup(server.Close)
	start := func(t *testing.T) {
		t.Helper()
		resize(t, ctx, 1280)
		if got := play(t, ctx, server.URL, "ready"); got.State != "listening" {
			t.Fatalf("got state %q", got.State)
		}
		evaluate[bool](t, ctx, `fake.until(() => !document.getElementById('talk-button').disabled).then(() => true)`)
		evaluate[[]string](t, ctx, `fake.sent()`)
	}
	expect := func(t *testing.T, what string, want []string) {
		t.Helper()
		if got := evaluate[[]string](t, ctx, `fake.sent()`); !slices.Equal(got, want) {
			t.Errorf("%s: sent %v, want %v", what, got, want)
		}
	}

	t.Run("mouse", func(t *testing.T) {
		start(t)
		x, y := middle(t, ctx, "talk-button")
		mouse(t, ctx, input.DispatchMouseEventTypeMousePressed, x, y)
		expect(t, "press", press)
		mouse(t, ctx, input.DispatchMouseEventTypeMouseReleased, 5, 5) // slipped off the button
		expect(t, "release elsewhere", release)
	})
	t.Run("space bar", func(t *testing.T) {
		start(t)
		evaluate[bool](t, ctx, `document.activeElement.blur() ?? true`)
		space(t, ctx, input.DispatchKeyEventTypeRawKeyDown)
		space(t, ctx, input.DispatchKeyEventTypeRawKeyDown) // the key repeats while it is held
		expect(t, "press", press)
		space(t, ctx, input.DispatchKeyEventTypeKeyUp)
		expect(t, "release", release)
	})
	t.Run("space bar after a click on another button", func(t *testing.T) {
		start(t)
		click(t, ctx, "theme-toggle")
		theme := evaluate[string](t, ctx, `document.documentElement.dataset.theme`)
		space(t, ctx, input.DispatchKeyEventTypeRawKeyDown)
		space(t, ctx, input.DispatchKeyEventTypeKeyUp)
		expect(t, "press and release", []string{press[0], release[0]})
		if got := evaluate[string](t, ctx, `document.documentElement.dataset.theme`); got != theme {
			t.Errorf("the button was pressed as well: theme %s, was %s", got, theme)
		}
	})
	t.Run("space bar while writing", func(t *testing.T) {
		start(t)
		click(t, ctx, "text-input")
		if err := chromedp.Do(ctx, chromedp.KeyEvent("a b")); err != nil {
			t.Fatal(err)
		}
		expect(t, "typing", []string{})
		if got := evaluate[string](t, ctx, `document.getElementById('text-input').value`); got != "a b" {
			t.Errorf("typed %q", got)
		}
	})
	t.Run("the window loses the focus", func(t *testing.T) {
		start(t)
		evaluate[bool](t, ctx, `document.activeElement.blur() ?? true`)
		space(t, ctx, input.DispatchKeyEventTypeRawKeyDown)
		evaluate[bool](t, ctx, `dispatchEvent(new Event('blur'))`)
		expect(t, "press and blur", []string{press[0], release[0]})
	})
	t.Run("Escape stops the answer", func(t *testing.T) {
		start(t)
		evaluate[string](t, ctx, `fake.replies(1, 'A long story.').item_id`)
		if err := chromedp.Do(ctx, chromedp.KeyEvent("\u001b")); err != nil {
			t.Fatal(err)
		}
		expect(t, "Escape", []string{"response.cancel", "output_audio_buffer.clear"})
	})
	t.Run("hands-free", func(t *testing.T) {
		start(t)
		click(t, ctx, "mode-hands-free")
		expect(t, "switch", []string{"session.update"})
		space(t, ctx, input.DispatchKeyEventTypeRawKeyDown)
		space(t, ctx, input.DispatchKeyEventTypeKeyUp)
		expect(t, "space", []string{})
	})
}

// TestWriting types a message and reads it from the wire.
func TestWriting(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	ctx := browser(t)
	server := httptest.NewServer(fakeServer())
	t.Cleanup(server.Close)
	resize(t, ctx, 1280)
	play(t, ctx, server.URL, "listening")
	click(t, ctx, "text-input")
	if err := chromedp.Do(ctx, chromedp.KeyEvent("<b>hi</b>\r")); err != nil {
		t.Fatal(err)
	}
	if got := evaluate[string](t, ctx, `fake.peer.channel.sent.find((e) => e.item).item.content[0].text`); got != "<b>hi</b>" {
		t.Errorf("sent %q", got)
	}
	if got := evaluate[string](t, ctx, `document.getElementById('text-input').value`); got != "" {
		t.Errorf("left in the box: %q", got)
	}
	// What comes back is text, whatever it looks like.
	evaluate[bool](t, ctx, `fake.exchange(1, '<img src=x onerror=alert(1)>', '<script>alert(2)</script>', [1, 1, 1, 1, 1, 1, 1]) ?? true`)
	evaluate[bool](t, ctx, `fake.until(() => document.querySelectorAll('#transcript li').length === 2).then(() => true)`)
	if got := evaluate[int](t, ctx, `document.querySelectorAll('#app img, #app script, #transcript b').length`); got != 0 {
		t.Errorf("markup was made from words: %d elements", got)
	}
	if got := evaluate[[]string](t, ctx, `fake.complaints`); len(got) > 0 {
		t.Errorf("the browser complained: %v", got)
	}
}

func space(t *testing.T, ctx context.Context, kind input.DispatchKeyEventType) {
	t.Helper()
	_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: " ", Code: "Space", WindowsVirtualKeyCode: 32})
	if err != nil {
		t.Fatal(err)
	}
}

func mouse(t *testing.T, ctx context.Context, kind input.DispatchMouseEventType, x, y float64) {
	t.Helper()
	_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, ClickCount: 1})
	if err != nil {
		t.Fatal(err)
	}
}

func click(t *testing.T, ctx context.Context, id string) {
	t.Helper()
	x, y := middle(t, ctx, id)
	mouse(t, ctx, input.DispatchMouseEventTypeMousePressed, x, y)
	mouse(t, ctx, input.DispatchMouseEventTypeMouseReleased, x, y)
}

func middle(t *testing.T, ctx context.Context, id string) (x, y float64) {
	t.Helper()
	at := evaluate[[]float64](t, ctx, `(() => { const r = document.getElementById('`+id+`').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	return at[0], at[1]
}
