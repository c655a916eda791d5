package webclient

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// built returns the path of the one file in assets with the given ending.
func built(t *testing.T, ending string) string {
	t.Helper()
	names, err := fs.Glob(Files(), "assets/*"+ending)
	if err != nil || len(names) != 1 {
		t.Fatalf("assets/*%s: %v, %v", ending, names, err)
	}
	return "/" + names[0]
}

func TestHandlerServes(t *testing.T) {
	tests := []struct {
		name, target       string
		status             int
		contentType, cache string
	}{
		{"page", "/", 200, "text/html; charset=utf-8", "no-cache"},
		{"page by name", "/index.html", 200, "text/html; charset=utf-8", "no-cache"},
		{"icon", "/favicon.svg", 200, "image/svg+xml", "no-cache"},
		{"script", built(t, ".js"), 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"style", built(t, ".css"), 200, "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{"unknown", "/nothing", 404, "text/plain; charset=utf-8", "no-store"},
		{"folder", "/assets/", 404, "text/plain; charset=utf-8", "no-store"},
		{"way out", "/../handler.go", 404, "text/plain; charset=utf-8", "no-store"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := get(t, http.MethodGet, tt.target)
			if res.StatusCode != tt.status {
				t.Fatalf("status: got %d, want %d", res.StatusCode, tt.status)
			}
			if got := res.Header.Get("Content-Type"); got != tt.contentType {
				t.Errorf("content type: got %q, want %q", got, tt.contentType)
			}
			if got := res.Header.Get("Cache-Control"); got != tt.cache {
				t.Errorf("cache: got %q, want %q", got, tt.cache)
			}
			if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("nosniff: got %q", got)
			}
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	header := get(t, http.MethodGet, "/").Header
	csp := header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("policy is loose: %q", csp)
	}
	for name, want := range map[string]string{
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := header.Get("Permissions-Policy"); !strings.Contains(got, "microphone=(self)") || !strings.Contains(got, "camera=()") {
		t.Errorf("permissions: got %q", got)
	}
}

// The policy forbids inline script and style, so the page may hold none.
func TestPageHasNothingInline(t *testing.T) {
	page := read(t, get(t, http.MethodGet, "/").Body)
	for what, pattern := range map[string]string{
		"inline script":  `(?i)<script[^>]*>\s*[^<\s]`,
		"inline style":   `(?i)<style`,
		"style attr":     `(?i)\sstyle=`,
		"event handler":  `(?i)\son[a-z]+=`,
		"foreign source": `(?i)(src|href)="(https?:)?//`,
	} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("%s: %q", what, found)
		}
	}
	if !strings.Contains(page, `src="`+built(t, ".js")+`"`) || !strings.Contains(page, `href="`+built(t, ".css")+`"`) {
		t.Errorf("the page does not name its own files: %s", page)
	}
}

func TestConditionalAndHead(t *testing.T) {
	etag := get(t, http.MethodGet, "/").Header.Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	for _, sent := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		if res := get(t, http.MethodGet, "/", "If-None-Match", sent); res.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match %s: got %d", sent, res.StatusCode)
		}
	}
	if res := get(t, http.MethodGet, "/", "If-None-Match", `"other"`); res.StatusCode != http.StatusOK {
		t.Errorf("other tag: got %d", res.StatusCode)
	}
	head := get(t, http.MethodHead, "/")
	if body := read(t, head.Body); head.StatusCode != http.StatusOK || body != "" || head.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d bytes of body, length %s", head.StatusCode, len(body), head.Header.Get("Content-Length"))
	}
	if res := get(t, http.MethodPost, "/"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestGzip(t *testing.T) {
	script := built(t, ".js")
	plain := read(t, get(t, http.MethodGet, script).Body)
	for _, accept := range []string{"gzip", "br, gzip;q=0.5", "GZIP"} {
		res := get(t, http.MethodGet, script, "Accept-Encoding", accept)
		if got := res.Header.Get("Content-Encoding"); got != "gzip" {
			t.Errorf("Accept-Encoding %q: got %q", accept, got)
			continue
		}
		unzipped, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if read(t, unzipped) != plain {
			t.Errorf("Accept-Encoding %q: another content", accept)
		}
	}
	for _, refuse := range []string{"", "br", "gzip;q=0", "gzip; q=0.0", "gzip;q=x"} {
		if got := get(t, http.MethodGet, script, "Accept-Encoding", refuse).Header.Get("Content-Encoding"); got != "" {
			t.Errorf("Accept-Encoding %q: got %q", refuse, got)
		}
	}
}

// A page that answers slowly to load is a page that answers slowly: the script stays small.
func TestScriptIsSmall(t *testing.T) {
	res := get(t, http.MethodGet, built(t, ".js"), "Accept-Encoding", "gzip")
	if size := len(read(t, res.Body)); size > 40<<10 {
		t.Errorf("script: %d bytes gzipped, want at most 40 KiB", size)
	}
}

func TestLoadReportsBrokenFiles(t *testing.T) {
	if _, err := load(fstest.MapFS{"a": {Mode: fs.ModeDir}, "a/b.bin": {Data: []byte("x")}}); err != nil {
		t.Errorf("plain tree: %v", err)
	}
	if _, err := load(broken{}); err == nil || !strings.HasPrefix(err.Error(), "webclient: load: ") {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) Open(string) (fs.File, error) { return nil, fs.ErrPermission }
