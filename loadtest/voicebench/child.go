package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// child is a server under measurement, in a process of its own.
type child struct {
	url   string
	pid   int
	ready time.Duration // from spawn to its first 200
	cmd   *exec.Cmd
	log   *bytes.Buffer // what it wrote; read after it ended
}

// startParley writes the configuration and starts parley with it.
func startParley(ctx context.Context, binary, dir string, c serverConfig) (*child, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c.listen = port
	c.data = filepath.Join(dir, "data-"+c.vad)
	file := filepath.Join(dir, "parley.yaml")
	if err := os.WriteFile(file, []byte(c.yaml()), 0o600); err != nil {
		return nil, err
	}
	return start(ctx, port, binary, "serve", "--config", file)
}

// startEcho starts this program as the echo server.
func startEcho(ctx context.Context) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return start(ctx, port, self, "echo", port)
}

// start runs a server and waits until it answers.
func start(ctx context.Context, addr, binary string, args ...string) (*child, error) {
	c := &child{url: "http://" + addr, log: &bytes.Buffer{}}
	c.cmd = exec.Command(binary, args...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (build it first: make build)", binary, err)
	}
	c.pid = c.cmd.Process.Pid
	if err := c.awaitReady(ctx); err != nil {
		c.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", binary, err, c.log)
	}
	c.ready = time.Since(began)
	return c, nil
}

func (c *child) awaitReady(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(15 * time.Second)
	defer limit.Stop()
	for {
		if resp, err := client.Get(c.url + "/healthz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if c.gone() {
			return errors.New("it ended at once")
		}
		select {
		case <-tick.C:
		case <-limit.C:
			return errors.New("it does not answer /healthz")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone says whether the process has ended and waits to be reaped.
func (c *child) gone() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		return true
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(rest, []byte("Z"))
}

// stop ends the process, by force after five seconds, and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	force := time.AfterFunc(5*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer force.Stop()
	_ = c.cmd.Wait() // its status after a signal says nothing
}

// freePort is an address on loopback that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
