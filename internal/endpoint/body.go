package endpoint

import (
	"bytes"
	"io"
	"time"
)

const (
	endMark      = "[DONE]" // what ends a stream of events
	drainTimeout = 100 * time.Millisecond
	drainBytes   = 1 << 10
)

// body is an answer of limited length. The readers of event streams stop at
// the end mark, a few bytes before the end of the body, and net/http throws a
// connection away whose body was not read to the end; so Close reads on, for a
// moment, where the mark has come.
type body struct {
	io.ReadCloser
	left  int64
	tail  []byte // the last bytes read, in case the mark is cut
	ended bool   // the mark has come
	eof   bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	b.eof = err != nil
	b.tail = append(b.tail, p[max(0, n-4*len(endMark)):n]...)
	b.ended = bytes.Contains(b.tail, []byte(endMark))
	b.tail = append(b.tail[:0], b.tail[max(0, len(b.tail)-4*len(endMark)):]...)
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	if b.ended && !b.eof {
		timer := time.AfterFunc(drainTimeout, func() { _ = b.ReadCloser.Close() })
		_, _ = io.CopyN(io.Discard, b.ReadCloser, drainBytes)
		timer.Stop()
	}
	return b.ReadCloser.Close()
}
