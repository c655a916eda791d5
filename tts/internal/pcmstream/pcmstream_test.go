package pcmstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"parley/audio"
	"parley/internal/fault"
)

// header is a WAV header of 16-bit samples with a length of its own choice.
func header(rate, channels int, size uint32, extra ...byte) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt ")
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*2*channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*channels))
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, extra...)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, size)
}

func samples(pcm ...int16) []byte {
	var b []byte
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

func read(r io.Reader, o Options) (pcm []int16, err error) {
	err = Copy(r, o, func(p []int16) error { pcm = append(pcm, p...); return nil })
	return pcm, err
}

func TestFormats(t *testing.T) {
	ramp := []int16{1, -2, 300, -400, 32767, -32768}
	data := samples(ramp...)
	list := append([]byte("LIST\x03\x00\x00\x00abc"), 0)
	for _, tt := range []struct {
		name string
		in   []byte
		bare int
		want []int16
	}{
		{"bare", data, 24000, ramp},
		{"bare with half a sample", append(slices.Clone(data), 7), 24000, ramp},
		{"wav", append(header(24000, 1, uint32(len(data))), data...), 0, ramp},
		{"wav where bare was asked for", append(header(24000, 1, uint32(len(data))), data...), 24000, ramp},
		{"length 0", append(header(24000, 1, 0), data...), 0, ramp},
		{"length of all ones", append(header(24000, 1, math.MaxUint32), data...), 0, ramp},
		{"length of espeak", append(header(24000, 1, 0x7ffff000), data...), 0, ramp},
		{"length too long", append(header(24000, 1, 1000), data...), 0, ramp},
		{"something after the samples", append(append(header(24000, 1, uint32(len(data))), data...), list...), 0, ramp},
		{"something before the samples", append(header(24000, 1, 0, list...), data...), 0, ramp},
		{"stereo", append(header(24000, 2, 0), samples(10, 20, -10, -20)...), 0, []int16{15, -15}},
		{"no samples", header(24000, 1, 0), 0, nil},
	} {
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(tt.in), "bytes": iotest.OneByteReader(bytes.NewReader(tt.in)), "with EOF": iotest.DataErrReader(bytes.NewReader(tt.in)),
		} {
			got, err := read(r, Options{Op: "x", Rate: 24000, BareRate: tt.bare})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s, %s: %v, %v; want %v", tt.name, name, got, err, tt.want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	eightBit := header(24000, 1, 0)
	eightBit[34] = 8
	floats := header(24000, 1, 0)
	floats[20] = 3
	for name, in := range map[string][]byte{
		"empty":            nil,
		"other format":     []byte("ID3\x04 and so on"),
		"text":             []byte("Not audio"),
		"short":            []byte("RIFF"),
		"not wave":         []byte("RIFF\x00\x00\x00\x00AVI \x00\x00\x00\x00"),
		"header cut":       header(24000, 1, 0)[:30],
		"8 bit":            eightBit,
		"floats":           floats,
		"six channels":     header(24000, 6, 0),
		"no rate":          header(0, 1, 0),
		"huge chunk":       append([]byte("RIFF\x00\x00\x00\x00WAVEjunk"), 0xff, 0xff, 0xff, 0x7f),
		"data first":       []byte("RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00"),
		"chunks for ever":  []byte("RIFF\x00\x00\x00\x00WAVE" + strings.Repeat("junk\x00\x00\x00\x00", 100)),
		"short fmt":        []byte("RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00\x01\x00"),
		"fmt that is huge": append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), 0xff, 0xff, 0xff, 0xff),
	} {
		pcm, err := read(bytes.NewReader(in), Options{Op: "x", Rate: 24000})
		if fault.KindOf(err) != fault.Failed || len(pcm) > 0 {
			t.Errorf("%s: %d samples, %v", name, len(pcm), err)
		}
	}
}

func TestResamples(t *testing.T) {
	in := make([]int16, 22050)
	for i := range in {
		in[i] = int16(10000 * math.Sin(2*math.Pi*440*float64(i)/22050))
	}
	got, err := read(bytes.NewReader(append(header(22050, 1, 0), samples(in...)...)), Options{Op: "x", Rate: 24000})
	if err != nil || len(got) != 24000 {
		t.Fatalf("%d samples, %v", len(got), err)
	}
	crossings := 0
	for i := range got[1:] {
		if got[i] < 0 && got[i+1] >= 0 {
			crossings++
		}
	}
	if crossings < 438 || crossings > 441 {
		t.Errorf("440 Hz have become %d", crossings)
	}
}

func TestLimit(t *testing.T) {
	o := Options{Op: "x", Rate: 24000, BareRate: 24000, Limit: Limit("hi")}
	pcm, err := read(zeros{}, o)
	if d := audio.SamplesToDuration(len(pcm), 24000); fault.KindOf(err) != fault.Failed || d > 12*time.Second || d < 11*time.Second {
		t.Errorf("%v of audio, %v", d, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestErrorsPassThrough(t *testing.T) {
	broken := errors.New("broken")
	for name, r := range map[string]io.Reader{
		"at once":       iotest.ErrReader(broken),
		"in the header": io.MultiReader(bytes.NewReader(header(24000, 1, 0)[:20]), iotest.ErrReader(broken)),
		"later":         io.MultiReader(bytes.NewReader(samples(1, 2, 3)), iotest.ErrReader(broken)),
	} {
		if _, err := read(r, Options{Op: "x", Rate: 24000, BareRate: 24000}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Copy(bytes.NewReader(samples(1, 2)), Options{Op: "x", Rate: 24000, BareRate: 24000}, func([]int16) error { return broken }); err != broken {
		t.Errorf("emit's error became %v", err)
	}
}

func FuzzCopy(f *testing.F) {
	f.Add(append(header(22050, 1, 0x7ffff000), samples(1, 2, 3)...), 0)
	f.Add(append(header(48000, 2, 4), samples(1, 2, 3)...), 24000)
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\x00\x00"), 24000)
	f.Fuzz(func(t *testing.T, in []byte, bare int) {
		got, err := read(bytes.NewReader(in), Options{Op: "x", Rate: 24000, BareRate: max(0, bare%100000), Limit: time.Minute})
		if err == nil && len(got) > 12*len(in)+12 {
			t.Errorf("%d samples of %d bytes", len(got), len(in))
		}
		if k := fault.KindOf(err); err != nil && k != fault.Failed {
			t.Errorf("%v is %s", err, k)
		}
	})
}
