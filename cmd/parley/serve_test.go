package main

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"parley/app"
)

// The first words of a server: where it is, its key once, and what is wrong.
func TestGreet(t *testing.T) {
	var b strings.Builder
	greet(&b, app.Running{
		URL: "http://127.0.0.1:8080", Key: canaryKey, Engines: map[string]string{"tts": "flite", "stt": "unassigned"},
		Notes: []string{"Speech is not understood."},
	}, []string{"192.0.2.7"})
	want := "parley listens at http://127.0.0.1:8080/#key=" + canaryKey + `
              and http://192.0.2.7:8080/#key=` + canaryKey + `
  Browsers share the microphone only with https:// pages and with localhost; from other machines, use a proxy with TLS.
  stt: unassigned   tts: flite
  Others can reach this address, so it asks for a key. None was set: the one above is for this run. Set your own with PARLEY_KEY.
  Speech is not understood.
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	greet(&b, app.Running{URL: "http://127.0.0.1:8080", Engines: map[string]string{"stt": "scripted"}}, nil)
	if want := "parley listens at http://127.0.0.1:8080\n  stt: scripted\n"; b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

func TestOthers(t *testing.T) {
	own := []net.Addr{
		&net.IPNet{IP: net.IPv4(127, 0, 0, 1)}, &net.IPNet{IP: net.IPv4(192, 0, 2, 7)}, &net.IPNet{IP: net.ParseIP("2001:db8::1")},
		&net.IPNet{IP: net.IPv4(169, 254, 1, 1)}, &net.IPNet{IP: net.IPv4(10, 0, 0, 1)},
	}
	for listen, want := range map[string]int{
		"0.0.0.0:8080": 2, ":8080": 2, "[::]:8080": 2, "127.0.0.1:8080": 0, "localhost:8080": 0, "192.0.2.7:80": 0, "nonsense": 0,
	} {
		if got := others(listen, own); len(got) != want || want > 0 && (got[0] != "192.0.2.7" || got[1] != "10.0.0.1") {
			t.Errorf("%s: got %v", listen, got)
		}
	}
}

// What cannot start says why in one line, and the status is 1.
func TestServeCannotStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	parley(t, "serve", "--listen", taken).want(t, 1, "",
		oneLine("cannot listen on "+taken+": address already in use; is another parley running? If not, choose another address with --listen"))
	parley(t, "serve", "--config", scripted(t), "--set", "log.level=error", "--set", "store.path=/dev/null/parley.db").want(t, 1, "",
		oneLine("calls cannot be stored in /dev/null/parley.db: not a directory; set store.path, or store.engine to none"))
	parley(t, "serve", "--config", scripted(t), "--set", "stt.engine=pocketsphinx", "--set", "stt.pocketsphinx.model_dir=/nonexistent").want(t, 1, "",
		`(?m)^parley: stt\.engine is pocketsphinx, which cannot start: model file: .*apt-get install pocketsphinx-en-us\)$`)
}

// process is this binary as a command of its own, for what only a process has:
// signals and an exit status.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Args = append([]string{"parley"}, args...)
	return c
}

// SIGTERM during a call: the caller is told, and the status is 0.
func TestTerminate(t *testing.T) {
	t.Parallel()
	c := process(t, "serve", "--config", scripted(t))
	var log logBook
	c.Stderr = &log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("it said nothing; the log:\n%s", &log)
	}
	_, address, ok := strings.Cut(lines.Text(), "parley listens at http://")
	if !ok {
		t.Fatalf("it said %q", lines.Text())
	}
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+address+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	res.Body.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"v":1,"type":"join"}`)); err != nil {
		t.Fatal(err)
	}
	var last string
	for first := true; ; first = false {
		_, message, err := ws.ReadMessage()
		if err != nil {
			break
		}
		last = string(message)
		if first { // it joined
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !strings.Contains(last, `"type":"bye"`) || !strings.Contains(last, "shutdown") {
		t.Errorf("the caller is told %s", last)
	}
	for lines.Scan() { //nolint:revive // Wait wants it read to the end
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v; the log:\n%s", err, &log)
	}
}

// An interrupted call ends at once, with the status of an interrupted command.
func TestInterruptCall(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes the call and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := process(t, "call", "--url", "http://"+l.Addr().String(), "--text", "hello")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v", err)
	}
}
