package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// MaxWAVSamples bounds what ReadWAV decodes: ten minutes at 48 kHz.
const MaxWAVSamples = 10 * 60 * 48000

const (
	maxWAVChannels = 32
	maxWAVOther    = 16 << 20 // bytes of a file that may be anything but audio, or audio of unknown format
	maxWAVChunks   = 4096

	tagPCM        = 1
	tagFloat      = 3
	tagExtensible = 0xFFFE
	unknownSize   = 0xFFFFFFFF // what a writer to a pipe puts for a length it cannot know yet
)

// ErrNotWAV is wrapped by ReadWAV's error for input that is not a WAV file at all.
var ErrNotWAV = errors.New("not a WAV file")

// ErrTooLong is wrapped by ReadWAV's error for more than MaxWAVSamples.
var ErrTooLong = errors.New("longer than ten minutes at 48 kHz")

// ReadWAV decodes a WAV file (RIFF or RF64; PCM of 8, 16, 24 or 32 bits, float
// of 32 or 64; plain or WAVE_FORMAT_EXTENSIBLE; chunks in any order) to mono
// int16, channels averaged, at the file's own rate in Hz. Sizes in the header
// are hints: audio ends where the data does, and memory is taken only for
// bytes that arrived, MaxWAVSamples at most. A half frame at the end is dropped.
func ReadWAV(r io.Reader) (pcm []int16, rate int, err error) {
	w := wavReader{r: r}
	pcm, err = w.read()
	if err != nil {
		return nil, 0, fmt.Errorf("audio: read wav: %w", err)
	}
	return pcm, w.format.rate, nil
}

// wavFormat is what the chunk "fmt " says.
type wavFormat struct {
	channels, rate int
	width          int // bytes per sample of one channel
	float          bool
}

type wavReader struct {
	r       io.Reader
	other   int64 // bytes read that are no audio
	open    bool  // the file's own length is unknown: written to a pipe
	format  wavFormat
	hasFmt  bool
	pending []byte // audio met before the format
	hasData bool
}

func (w *wavReader) read() ([]int16, error) {
	var head [12]byte
	if _, err := io.ReadFull(w.r, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: shorter than its header", ErrNotWAV)
	} else if err != nil {
		return nil, err
	}
	id, size := string(head[:4]), binary.LittleEndian.Uint32(head[4:])
	switch {
	case id == "RIFX":
		return nil, errors.New("big-endian WAV (RIFX) is not supported: convert it to RIFF")
	case id != "RIFF" && id != "RF64", string(head[8:]) != "WAVE":
		return nil, fmt.Errorf("%w: it begins with %q", ErrNotWAV, head[:])
	}
	w.open = size == 0 || size == unknownSize
	for range maxWAVChunks {
		pcm, done, err := w.chunk()
		if err != nil || done {
			return pcm, err
		}
	}
	return nil, fmt.Errorf("it has more than %d chunks", maxWAVChunks)
}

// chunk reads the next chunk; done is true once audio and format are there.
func (w *wavReader) chunk() (pcm []int16, done bool, err error) {
	var head [8]byte
	if _, err := io.ReadFull(w.r, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, false, w.missing()
	} else if err != nil {
		return nil, false, err
	}
	id, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
	switch {
	case id == "fmt " && !w.hasFmt:
		if err := w.readFormat(size); err != nil {
			return nil, false, err
		}
		if w.hasData {
			pcm, err = w.format.decode(nil, w.pending)
			return pcm, true, err
		}
		return nil, false, nil
	case id == "data" && !w.hasData:
		return w.readData(size)
	default:
		return nil, false, w.skip(size + size&1) // chunks are padded to an even length
	}
}

func (w *wavReader) missing() error {
	switch {
	case w.hasData:
		return errors.New("the chunk that gives its format is missing")
	case w.hasFmt:
		return errors.New("the chunk that holds its audio is missing")
	}
	return errors.New("it holds neither a format nor audio")
}

// skip passes over n bytes that are no audio.
func (w *wavReader) skip(n int64) error {
	w.other += 8 + n
	if w.other > maxWAVOther {
		return errors.New("a chunk other than audio claims to be huge")
	}
	_, err := io.CopyN(io.Discard, w.r, n)
	if errors.Is(err, io.EOF) {
		return nil // the next chunk's header finds the end
	}
	return err
}

func (w *wavReader) readFormat(size int64) error {
	if size < 16 {
		return fmt.Errorf("its format chunk has %d bytes, needs 16", size)
	}
	var b [40]byte
	n := min(size, int64(len(b)))
	if _, err := io.ReadFull(w.r, b[:n]); err != nil {
		return errors.New("it ends inside its format chunk")
	}
	format, err := parseWAVFormat(b[:n])
	if err != nil {
		return err
	}
	w.format, w.hasFmt = format, true
	return w.skip(size - n + size&1)
}

// parseWAVFormat reads the 16 to 40 bytes of WAVEFORMATEX(TENSIBLE).
func parseWAVFormat(b []byte) (wavFormat, error) {
	tag := binary.LittleEndian.Uint16(b)
	channels := int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	align := int(binary.LittleEndian.Uint16(b[12:]))
	bits := int(binary.LittleEndian.Uint16(b[14:]))
	if tag == tagExtensible {
		if len(b) < 40 {
			return wavFormat{}, fmt.Errorf("its extensible format has %d bytes, needs 40", len(b))
		}
		tag = binary.LittleEndian.Uint16(b[24:]) // the first field of the sub-format's GUID
	}
	f := wavFormat{channels: channels, rate: int(rate), width: (bits + 7) / 8, float: tag == tagFloat}
	switch {
	case channels < 1 || channels > maxWAVChannels:
		return f, fmt.Errorf("it claims %d channels, can be 1..%d", channels, maxWAVChannels)
	case rate < MinRate || rate > MaxRate:
		return f, fmt.Errorf("it claims %d samples per second, can be %d..%d", rate, MinRate, MaxRate)
	case tag != tagPCM && tag != tagFloat:
		return f, fmt.Errorf("its audio is compressed (format %#x): convert it to PCM", tag)
	case f.float && bits != 32 && bits != 64, !f.float && (bits < 1 || bits > 32):
		return f, fmt.Errorf("it claims %d bits per sample", bits)
	case align != 0 && align != channels*f.width:
		return f, fmt.Errorf("it claims %d bytes for %d channels of %d bits", align, channels, bits)
	}
	return f, nil
}

// readData takes the audio, of at most size bytes. With the format known it is
// decoded as it comes; else it waits for it.
func (w *wavReader) readData(size int64) ([]int16, bool, error) {
	w.hasData = true
	src := io.Reader(io.LimitReader(w.r, size))
	if size == unknownSize || size == 0 && w.open {
		src = w.r
	}
	if w.hasFmt {
		pcm, err := w.format.readAll(src)
		return pcm, true, err
	}
	var err error
	if w.pending, err = io.ReadAll(io.LimitReader(src, maxWAVOther+1)); err != nil {
		return nil, false, err
	}
	if len(w.pending) > maxWAVOther {
		return nil, false, errors.New("too much audio stands before its format")
	}
	if size&1 == 1 {
		_, _ = io.CopyN(io.Discard, w.r, 1)
	}
	return nil, false, nil
}

// readAll decodes r to its end.
func (f wavFormat) readAll(r io.Reader) ([]int16, error) {
	frame := f.channels * f.width
	buf := make([]byte, 32<<10/frame*frame)
	pcm := []int16{}
	for {
		n, err := io.ReadFull(r, buf)
		var tooLong error
		if pcm, tooLong = f.decode(pcm, buf[:n]); tooLong != nil {
			return nil, tooLong
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return pcm, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// decode appends the whole frames of b to pcm, as mono.
func (f wavFormat) decode(pcm []int16, b []byte) ([]int16, error) {
	frame := f.channels * f.width
	if len(pcm)+len(b)/frame > MaxWAVSamples {
		return nil, ErrTooLong
	}
	for ; len(b) >= frame; b = b[frame:] {
		sum := int64(0)
		for c := range f.channels {
			sum += int64(f.sample(b[c*f.width:]))
		}
		mean := sum / int64(f.channels)
		pcm = append(pcm, int16(min(math.MaxInt16, (mean+1<<15)>>16)))
	}
	return pcm, nil
}

// sample reads one sample, scaled to 32 bits.
func (f wavFormat) sample(b []byte) int32 {
	switch {
	case f.float && f.width == 8:
		return fromFloat(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case f.float:
		return fromFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	case f.width == 1:
		return (int32(b[0]) - 128) << 24 // 8 bits are unsigned
	case f.width == 2:
		return int32(binary.LittleEndian.Uint16(b)) << 16
	case f.width == 3:
		return int32(b[0])<<8 | int32(b[1])<<16 | int32(b[2])<<24
	}
	return int32(binary.LittleEndian.Uint32(b))
}

func fromFloat(x float64) int32 {
	if x != x { // NaN
		return 0
	}
	return int32(max(math.MinInt32, min(math.MaxInt32, x*(1<<31))))
}

// WriteWAV writes mono PCM of rate Hz as a WAV file of 16 bits.
func WriteWAV(w io.Writer, pcm []int16, rate int) error {
	if rate < MinRate || rate > MaxRate {
		return fmt.Errorf("audio: write wav: %d Hz is outside %d..%d Hz", rate, MinRate, MaxRate)
	}
	if len(pcm) > (math.MaxUint32-36)/2 {
		return fmt.Errorf("audio: write wav: %d samples do not fit a WAV file", len(pcm))
	}
	size := uint32(2 * len(pcm))
	b := make([]byte, 0, min(len(pcm)*2+44, 64<<10))
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, tagPCM)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, s := range pcm {
		if len(b)+2 > cap(b) {
			if _, err := w.Write(b); err != nil {
				return fmt.Errorf("audio: write wav: %w", err)
			}
			b = b[:0]
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("audio: write wav: %w", err)
	}
	return nil
}
