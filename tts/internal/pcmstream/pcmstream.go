// Package pcmstream reads speech as engines send it, WAV or bare samples, while
// it is still being made.
//
// May import: audio, internal/fault and the standard library.
// Concurrency: Copy is safe for concurrent use with different readers.
package pcmstream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"parley/audio"
	"parley/internal/fault"
)

// Options say what comes and what is wanted.
type Options struct {
	Op   string // the place, for errors: "tts/openai: speak"
	Rate int    // samples per second to emit
	// BareRate is the rate of 16-bit little-endian mono samples that begin
	// without a header; 0 where only WAV is expected.
	BareRate int
	// Limit ends, with an error, audio that goes on for longer; 0 means no limit.
	Limit time.Duration
}

// Limit is how long speech of text may reasonably take: more is a fault.
func Limit(text string) time.Duration {
	return 10*time.Second + time.Duration(utf8.RuneCountInString(text))*time.Second
}

// ErrEmpty is the cause of the fault of a reader that held nothing at all.
var ErrEmpty = errors.New("the audio is empty")

// readSize is how many bytes are asked of the reader at a time: 85 ms at 24 kHz.
// What has come is handed on at once, however little.
const readSize = 4096

// unknownSize is from where on the length in a WAV header is taken for made up:
// writers that stream put 0, 0xFFFFFFFF or something near 2 GB.
const unknownSize = 0x7F000000

// format is what the header says.
type format struct {
	rate, channels int
	size           int64 // bytes of samples; -1: until the end
}

// Copy reads r to its end and gives its speech, resampled, to emit. It returns
// emit's error as it is, a read error as it is, and else a *fault.Error. pcm is
// lent.
func Copy(r io.Reader, o Options, emit func(pcm []int16) error) error {
	in := bufio.NewReaderSize(r, readSize)
	f, err := o.header(in)
	if err != nil {
		return err
	}
	resampler, err := audio.NewResampler(f.rate, o.Rate)
	if err != nil {
		return fault.New(fault.Failed, o.Op, err)
	}
	c := copier{o: o, f: f, emit: emit, resampler: resampler, left: f.size}
	return c.run(in)
}

// header reads up to the first sample. It does not wait for more than it needs.
func (o Options) header(in *bufio.Reader) (format, error) {
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return format{}, err
	}
	if string(head) == "RIFF" {
		return o.wav(in)
	}
	switch {
	case len(head) == 0:
		return format{}, fault.New(fault.Failed, o.Op, ErrEmpty)
	case o.BareRate == 0 || string(head) == "OggS" || string(head) == "fLaC" || string(head[:min(3, len(head))]) == "ID3":
		return format{}, fault.Newf(fault.Failed, o.Op, "the audio is in another format than was asked for")
	}
	return format{rate: o.BareRate, channels: 1, size: -1}, nil
}

// wav reads a WAV header (Multimedia Programming Interface and Data
// Specifications 1.0, 1991). Samples must be 16-bit integers.
func (o Options) wav(in *bufio.Reader) (format, error) {
	bad := func(why string) (format, error) {
		return format{}, fault.Newf(fault.Failed, o.Op, "the WAV header is wrong: %s", why)
	}
	var head [12]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return format{}, endOf(err, o.Op)
	}
	if string(head[8:]) != "WAVE" {
		return bad("no WAVE")
	}
	f := format{}
	for range 32 { // chunks before the samples
		var chunk [8]byte
		if _, err := io.ReadFull(in, chunk[:]); err != nil {
			return format{}, endOf(err, o.Op)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch name := string(chunk[:4]); {
		case name == "data" && f.rate == 0:
			return bad("samples before their format")
		case name == "data":
			f.size = size
			if size == 0 || size >= unknownSize {
				f.size = -1
			}
			return f, nil
		case size > 1<<16:
			return bad("a chunk that is too long")
		case name == "fmt ":
			body := make([]byte, size+size%2)
			if _, err := io.ReadFull(in, body); err != nil {
				return format{}, endOf(err, o.Op)
			}
			if why := f.parse(body); why != "" {
				return bad(why)
			}
		default:
			if _, err := in.Discard(int(size + size%2)); err != nil {
				return format{}, endOf(err, o.Op)
			}
		}
	}
	return bad("no samples")
}

// parse reads the body of a fmt chunk and returns what is wrong with it.
func (f *format) parse(b []byte) string {
	const integers, extensible = 1, 0xFFFE
	if len(b) < 16 {
		return "a short format"
	}
	tag, bits := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[14:])
	if tag == extensible && len(b) >= 26 {
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	rate := binary.LittleEndian.Uint32(b[4:])
	f.channels = int(binary.LittleEndian.Uint16(b[2:]))
	switch {
	case tag != integers || bits != 16:
		return fmt.Sprintf("samples of kind %d with %d bits, not 16-bit integers", tag, bits)
	case f.channels < 1 || f.channels > 2:
		return fmt.Sprintf("%d channels", f.channels)
	case rate < audio.MinRate || rate > audio.MaxRate:
		return fmt.Sprintf("%d Hz", rate)
	}
	f.rate = int(rate)
	return ""
}

func endOf(err error, op string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Newf(fault.Failed, op, "the audio ends within its header")
	}
	return err
}
