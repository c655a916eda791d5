package webclient

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// policy allows what the page needs and nothing more: its own script and style,
// its own server (CSP level 3 counts ws and wss of the same origin as 'self'),
// and no markup made from text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// permissions switches off what the page never asks for.
const permissions = "microphone=(self), autoplay=(self), speaker-selection=(self), screen-wake-lock=(self), " +
	"camera=(), display-capture=(), geolocation=(), payment=(), usb=()"

// minGzip is the size in bytes below which compressing gains nothing.
const minGzip = 512

// asset is one file, ready to be sent.
type asset struct {
	contentType string
	cache       string
	etag        string
	plain       []byte
	gzipped     []byte // nil where it would not be smaller
}

// Handler serves the page: index.html at /, every other file at its own path,
// and 404 for anything else. Hashed files may be kept for ever; the rest is
// asked for again with its ETag.
func Handler() http.Handler {
	assets, err := load(Files())
	if err != nil {
		panic("webclient: the embedded page cannot be read: " + err.Error()) // cannot happen: it lies in memory
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "The page can only be read.", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		a, ok := assets[name]
		if !ok {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "There is no such page; parley is at /.", http.StatusNotFound)
			return
		}
		a.serve(w, r)
	})
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", a.cache)
	h.Set("ETag", a.etag)
	h.Add("Vary", "Accept-Encoding")
	if matches(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.plain
	if a.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = a.gzipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader is gone: nobody is left to be told
	}
}

// matches reads If-None-Match: "*" or a list of tags, weak or strong.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding; a quality of zero is a refusal.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		quality, has := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !has {
			return true
		}
		q, err := strconv.ParseFloat(quality, 64)
		return err == nil && q > 0
	}
	return false
}

func load(files fs.FS) (map[string]*asset, error) {
	assets := map[string]*asset{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		assets[name], err = newAsset(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("webclient: load: %w", err)
	}
	return assets, nil
}

func newAsset(name string, data []byte) (*asset, error) {
	sum := sha256.Sum256(data)
	a := &asset{
		contentType: contentType(name),
		cache:       "no-cache",
		etag:        `"` + hex.EncodeToString(sum[:12]) + `"`,
		plain:       data,
	}
	if strings.HasPrefix(name, "assets/") {
		a.cache = "public, max-age=31536000, immutable" // the name holds a hash of the content
	}
	if len(data) < minGzip {
		return a, nil
	}
	var buffer bytes.Buffer
	writer, err := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(data); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if buffer.Len() < len(data) {
		a.gzipped = buffer.Bytes()
	}
	return a, nil
}

// contentType is a fixed table: the system's MIME files may say otherwise, and
// nosniff turns a wrong type into a dead page.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	default:
		return "application/octet-stream"
	}
}
