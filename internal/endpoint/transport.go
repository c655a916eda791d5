package endpoint

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	defaultConnect  = 3 * time.Second
	defaultMaxBytes = 64 << 20
	defaultIdle     = 16
	errorBodyBytes  = 64 << 10
	maxRetryAfter   = time.Hour
	maxRedirects    = 3
)

// StatusError is an answer that is not what was asked for: an HTTP status of
// 400 or more, or a 200 of the wrong type. It holds nothing of the body but a
// machine-readable code, since bodies repeat keys and what the caller said.
type StatusError struct {
	Status      int
	Code        string        // such as "invalid_api_key"; "" when none was given
	ContentType string        // set when the type, not the status, is what is wrong
	RetryAfter  time.Duration // from the headers; 0 when not given
}

// Error implements error.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("HTTP %d", e.Status)
	if e.ContentType != "" {
		s += " of type " + e.ContentType
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// errTooLong is the end of an answer without end.
var errTooLong = errors.New("the answer is longer than allowed")

// errRedirect is given instead of following a redirect elsewhere: the key and
// the caller's words stay with the host that was configured.
var errRedirect = errors.New("redirected to another address; set base_url to the final one")

func stayOnHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > maxRedirects || req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host || req.Method != first.Method {
		return errRedirect
	}
	return nil
}

type transport struct {
	base     *http.Transport
	maxBytes int64
}

func newTransport(o Options) *transport {
	dial := o.DialContext
	if dial == nil {
		d := &net.Dialer{Timeout: orDuration(o.DialTimeout, defaultConnect), KeepAlive: 15 * time.Second}
		dial = d.DialContext
	}
	idle := o.MaxIdleConns
	if idle <= 0 {
		idle = defaultIdle
	}
	base := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dial,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: orDuration(o.TLSTimeout, defaultConnect),
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConns:        idle,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     90 * time.Second,
		// Finds a dead HTTP/2 connection before a turn does.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		MaxResponseHeaderBytes: 64 << 10,
	}
	t := &transport{base: base, maxBytes: o.MaxBytes}
	if t.maxBytes <= 0 {
		t.maxBytes = defaultMaxBytes
	}
	return t
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper. Any answer it returns has a good
// status and a plausible type; everything else is a *StatusError.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	// An empty, unsent key tells net/http that it may repeat the request when a
	// kept connection turns out to be dead before one byte of the answer came.
	req.Header["Idempotency-Key"] = []string{}
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if wrong := judge(req, res); wrong != nil {
		wrong.Code = errorCode(res.Body)
		_ = res.Body.Close()
		return nil, wrong
	}
	res.Body = &body{ReadCloser: res.Body, left: t.maxBytes}
	return res, nil
}

// judge returns what is wrong with the head of an answer, or nil.
func judge(req *http.Request, res *http.Response) *StatusError {
	if res.StatusCode >= 400 {
		return &StatusError{Status: res.StatusCode, RetryAfter: retryAfter(res.Header, time.Now())}
	}
	if res.StatusCode >= 300 {
		return nil // http.Client handles it with stayOnHost
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	asked := req.Header.Get("Accept")
	// A web page instead of an API, or a JSON object (in practice an error with
	// status 200) instead of a stream. Other odd types are let pass: servers
	// differ, and what follows will show.
	if kind == "text/html" || asked == "text/event-stream" && kind == "application/json" {
		return &StatusError{Status: res.StatusCode, ContentType: kind}
	}
	return nil
}

// codeForm admits the machine-readable codes in use and nothing that could be
// a key or a sentence.
var codeForm = regexp.MustCompile(`^[a-z]+([_.][a-z]+){0,6}$`)

func safeCode(candidates ...any) string {
	for _, c := range candidates {
		if s, ok := c.(string); ok && len(s) <= 48 && codeForm.MatchString(s) {
			return s
		}
	}
	return ""
}

// errorCode takes error.code or error.type from the body of an OpenAI-style error.
func errorCode(body io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(body, errorBodyBytes))
	var e struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(bytes.TrimSpace(data), &e) != nil {
		return ""
	}
	var detail struct{ Code, Type any }
	_ = json.Unmarshal(e.Error, &detail)
	return safeCode(detail.Code, detail.Type)
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3, seconds or a date) and the
// finer retry-after-ms that OpenAI sends.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 {
		return min(time.Duration(min(ms, 1e12)*float64(time.Millisecond)), maxRetryAfter)
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}

func orDuration(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
