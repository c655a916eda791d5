package pcmstream

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"parley/audio"
	"parley/internal/fault"
)

// copier moves samples from the reader to emit.
type copier struct {
	o         Options
	f         format
	emit      func([]int16) error
	resampler *audio.Resampler
	left      int64 // bytes of samples to come; negative: until the end

	bytes [readSize]byte
	part  int // bytes[:part] began a sample whose rest has not come
	pcm   []int16
	out   []int16
	total int // samples emitted
}

func (c *copier) run(in io.Reader) error {
	for c.left != 0 {
		want := len(c.bytes) - c.part
		if c.left > 0 {
			want = int(min(int64(want), c.left))
		}
		n, err := in.Read(c.bytes[c.part : c.part+want])
		if c.left > 0 {
			c.left -= int64(n)
		}
		if sendErr := c.take(c.part + n); sendErr != nil {
			return sendErr
		}
		switch {
		case errors.Is(err, io.EOF):
			return c.flush()
		case err != nil:
			return err
		}
	}
	return c.flush()
}

// take turns the first n bytes into samples and keeps what is not a whole one.
func (c *copier) take(n int) error {
	size := 2 * c.f.channels
	whole := n - n%size
	c.pcm = c.pcm[:0]
	for b := c.bytes[:whole]; len(b) > 0; b = b[size:] {
		s := int(int16(binary.LittleEndian.Uint16(b)))
		if c.f.channels == 2 {
			s = (s + int(int16(binary.LittleEndian.Uint16(b[2:])))) / 2
		}
		c.pcm = append(c.pcm, int16(s))
	}
	c.part = copy(c.bytes[:], c.bytes[whole:n])
	c.out = c.resampler.Process(c.out[:0], c.pcm)
	return c.send()
}

func (c *copier) flush() error {
	c.out = c.resampler.Flush(c.out[:0])
	return c.send()
}

func (c *copier) send() error {
	if len(c.out) == 0 {
		return nil
	}
	c.total += len(c.out)
	if d := audio.SamplesToDuration(c.total, c.o.Rate); c.o.Limit > 0 && d > c.o.Limit {
		return fault.Newf(fault.Failed, c.o.Op, "the audio goes on for more than %v", c.o.Limit.Round(time.Second))
	}
	return c.emit(c.out)
}
