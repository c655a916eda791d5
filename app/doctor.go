package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"time"

	"parley/media"
)

// doctorTime bounds the whole examination.
const doctorTime = 30 * time.Second

// Doctor tries every part that cfg names, for real, and says what to do about
// what does not work.
func Doctor(ctx context.Context, cfg Config, version string) Report {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	r := Report{Version: version, OK: true}
	r.checkNetwork(cfg)
	r.checkDetector(cfg)
	r.checkEngines(ctx, cfg)
	r.checkStore(ctx, cfg)
	r.checkTools()
	return r
}

func (r *Report) checkNetwork(cfg Config) {
	l, err := net.Listen("tcp", cfg.Listen)
	switch {
	case err == nil:
		l.Close()
		r.add(Check{Part: "listen", Level: Good, Detail: cfg.Listen + " is free"})
	case parleyAnswers(cfg.Listen):
		r.add(Check{Part: "listen", Level: Warning, Detail: "a parley runs at " + cfg.Listen + " already"})
	default:
		r.verdict("listen", "", cannotListen(cfg.Listen, err), "choose another address with --listen, or end what uses this one")
	}
	switch {
	case cfg.Loopback():
		r.add(Check{Part: "access", Level: Good, Detail: "only this machine can reach it; no key is needed"})
	case cfg.Key == "":
		r.add(Check{Part: "access", Level: Warning, Detail: "others can reach it and no key is set; each start makes one up", Fix: "set PARLEY_KEY"})
	default:
		r.add(Check{Part: "access", Level: Good, Detail: "others can reach it; a key is asked for"})
	}
	edge, err := newEdge(cfg, media.Options{})
	detail := "calls can be received"
	if err == nil {
		detail = "calls can be received on " + portsOf(edge)
		if port := replaced(cfg, edge); port != "" {
			detail += ", since the default port " + port + " is taken"
		}
		err = edge.Close()
	}
	r.verdict("media", detail, cannotReceive(err), "set media.udp_address and media.tcp_address to free ports")
}

// parleyAnswers tells whether a parley serves at addr.
func parleyAnswers(addr string) bool {
	client := http.Client{Timeout: time.Second}
	res, err := client.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var said struct{ Status, Version string }
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<10)).Decode(&said)
	return err == nil && res.StatusCode == http.StatusOK && said.Status == "ok" && said.Version != ""
}

func (r *Report) checkDetector(cfg Config) {
	_, chosen, err := chooseDetector(cfg)
	if err != nil {
		r.verdict("vad", "", err, "run scripts/setup.sh, or set models to the directory that has "+weights)
		return
	}
	r.chosen("vad", chosen, "")
}

func (r *Report) checkStore(ctx context.Context, cfg Config) {
	if cfg.Store.Engine == "none" {
		r.add(Check{Part: "store", Level: Warning, Detail: "calls are not remembered, as store.engine says"})
		return
	}
	db, err := openStore(ctx, cfg)
	if err == nil {
		_, err = db.Calls(ctx, time.Time{}, 1)
		err = errors.Join(err, db.Close())
	}
	r.verdict("store", cfg.StorePath(), cannotStore(cfg, err), "make the directory writable, or set store.path")
}

func (r *Report) checkTools() {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		r.add(Check{Part: "espeak", Level: Warning, Detail: "espeak-ng is missing; languages other than English have no embedded voice", Fix: "apt-get install espeak-ng"})
		return
	}
	r.add(Check{Part: "espeak", Level: Good, Detail: "installed, for languages other than English (tts.engine=espeak)"})
}
