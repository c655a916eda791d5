package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// le packs values of fixed size, strings and byte slices, little-endian.
func le(parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		if s, ok := p.(string); ok {
			p = []byte(s)
		}
		if err := binary.Write(&b, binary.LittleEndian, p); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func riff(chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	return slices.Concat(le("RIFF", uint32(4+len(body)), "WAVE"), body)
}

func chunk(id string, body []byte) []byte {
	c := slices.Concat(le(id, uint32(len(body))), body)
	if len(body)%2 == 1 {
		c = append(c, 0)
	}
	return c
}

func format(tag, channels uint16, rate uint32, bits uint16) []byte {
	align := channels * ((bits + 7) / 8)
	return chunk("fmt ", le(tag, channels, rate, rate*uint32(align), align, bits))
}

func extensible(sub uint16, bits uint16) []byte {
	guid := "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
	return chunk("fmt ", le(uint16(tagExtensible), uint16(1), uint32(16000), uint32(0), bits/8, bits,
		uint16(22), bits, uint32(0), sub, guid))
}

func TestReadWAV(t *testing.T) {
	mono := format(1, 1, 16000, 16)
	two := le(int16(1000), int16(-2000))
	want := []int16{1000, -2000}
	for _, c := range []struct {
		name string
		file []byte
		want []int16
	}{
		{"16 bit", riff(mono, chunk("data", two)), want},
		{"8 bit", riff(format(1, 1, 16000, 8), chunk("data", []byte{128, 129, 0, 255})), []int16{0, 256, -32768, 32512}},
		{"24 bit", riff(format(1, 1, 16000, 24), chunk("data", []byte{0, 0xe8, 3, 0x80, 0xff, 0xff, 0xff, 0xff, 0x7f})), []int16{1000, 0, 32767}},
		{"32 bit", riff(format(1, 1, 16000, 32), chunk("data", le(int32(1000<<16), int32(math.MaxInt32)))), []int16{1000, 32767}},
		{"float", riff(format(3, 1, 16000, 32), chunk("data", le(float32(0.5), float32(-2), float32(math.NaN()), float32(math.Inf(1))))), []int16{16384, -32768, 0, 32767}},
		{"double", riff(format(3, 1, 16000, 64), chunk("data", le(-0.25))), []int16{-8192}},
		{"stereo", riff(format(1, 2, 16000, 16), chunk("data", le(int16(100), int16(300), int16(32767), int16(32767)))), []int16{200, 32767}},
		{"extensible", riff(extensible(1, 16), chunk("data", two)), want},
		{"extensible float", riff(extensible(3, 32), chunk("data", le(float32(0.5)))), []int16{16384}},
		{"other chunks, odd length", riff(chunk("LIST", []byte("abc")), mono, chunk("fact", []byte{1}), chunk("data", two), chunk("id3 ", nil)), want},
		{"odd format chunk", riff(chunk("fmt ", slices.Concat(mono[8:], []byte{9})), chunk("data", two)), want},
		{"long format chunk", riff(chunk("fmt ", slices.Concat(mono[8:], make([]byte, 45))), chunk("data", two)), want},
		{"data before format", riff(chunk("data", two), mono), want},
		{"half a sample at the end", riff(mono, chunk("data", append(slices.Clone(two), 7))), want},
		{"data claims more than there is", slices.Concat(riff(mono), le("data", uint32(1<<30)), two), want},
		{"streamed, size unknown", slices.Concat(le("RIFF", uint32(unknownSize), "WAVE"), mono, le("data", uint32(unknownSize)), two), want},
		{"streamed, size 0", slices.Concat(le("RIFF", uint32(0), "WAVE"), mono, le("data", uint32(0)), two), want},
		{"RF64", slices.Concat(le("RF64", uint32(unknownSize), "WAVE"), chunk("ds64", make([]byte, 28)), mono, le("data", uint32(unknownSize)), two), want},
		{"no samples", riff(mono, chunk("data", nil)), []int16{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, rate, err := ReadWAV(iotest.OneByteReader(bytes.NewReader(c.file)))
			if err != nil || rate != 16000 || !slices.Equal(got, c.want) {
				t.Errorf("got %v at %d Hz, %v; want %v", got, rate, err, c.want)
			}
		})
	}
}

func TestReadWAVRefuses(t *testing.T) {
	data := chunk("data", make([]byte, 64))
	endless := func(head ...[]byte) io.Reader {
		return io.MultiReader(bytes.NewReader(riff(head...)), zeros{})
	}
	for _, c := range []struct {
		name, want string
		file       io.Reader
	}{
		{"empty", "shorter than its header", strings.NewReader("")},
		{"text", "not a WAV file", strings.NewReader("# Notes\nThis is no audio.\n")},
		{"other RIFF", "not a WAV file", bytes.NewReader(le("RIFF", uint32(4), "AVI "))},
		{"big-endian", "big-endian", bytes.NewReader(le("RIFX", uint32(4), "WAVE"))},
		{"0 channels", "0 channels", bytes.NewReader(riff(format(1, 0, 16000, 16), data))},
		{"65535 channels", "65535 channels", bytes.NewReader(riff(format(1, 65535, 16000, 16), data))},
		{"rate 0", "0 samples per second", bytes.NewReader(riff(format(1, 1, 0, 16), data))},
		{"rate 2^31", "2147483648 samples per second", bytes.NewReader(riff(format(1, 1, 1<<31, 16), data))},
		{"0 bits", "0 bits", bytes.NewReader(riff(format(1, 1, 16000, 0), data))},
		{"48 bits", "48 bits", bytes.NewReader(riff(format(1, 1, 16000, 48), data))},
		{"float of 16 bits", "16 bits", bytes.NewReader(riff(format(3, 1, 16000, 16), data))},
		{"wrong block size", "7 bytes for 1 channels", bytes.NewReader(riff(chunk("fmt ", le(uint16(1), uint16(1), uint32(16000), uint32(0), uint16(7), uint16(16))), data))},
		{"ADPCM", "compressed (format 0x2)", bytes.NewReader(riff(format(2, 1, 16000, 4), data))},
		{"short extensible", "extensible format has 16 bytes", bytes.NewReader(riff(format(tagExtensible, 1, 16000, 16), data))},
		{"short format", "needs 16", bytes.NewReader(riff(chunk("fmt ", make([]byte, 8)), data))},
		{"cut format", "ends inside", bytes.NewReader(riff(format(1, 1, 16000, 16))[:24])},
		{"no format", "gives its format is missing", bytes.NewReader(riff(data))},
		{"no data", "holds its audio is missing", bytes.NewReader(riff(format(1, 1, 16000, 16)))},
		{"nothing", "neither", bytes.NewReader(riff())},
		{"huge other chunk", "claims to be huge", endless(le("junk", uint32(math.MaxUint32)))},
		{"endless empty chunks", "more than 4096 chunks", endless()},
		{"endless audio", "ten minutes", endless(format(1, 1, 16000, 8), le("data", uint32(unknownSize)))},
		{"endless audio before its format", "before its format", endless(le("data", uint32(unknownSize)))},
		{"broken disk", "disk on fire", io.MultiReader(bytes.NewReader(riff(format(1, 1, 16000, 16), le("data", uint32(99)))), iotest.ErrReader(errors.New("disk on fire")))},
	} {
		t.Run(c.name, func(t *testing.T) {
			pcm, _, err := ReadWAV(c.file)
			if err == nil || !strings.Contains(err.Error(), c.want) || pcm != nil {
				t.Errorf("got %d samples, %v; want an error with %q", len(pcm), err, c.want)
			}
		})
	}
	if _, _, err := ReadWAV(strings.NewReader("PK\x03\x04 and more")); !errors.Is(err, ErrNotWAV) {
		t.Errorf("got %v, want ErrNotWAV", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestWriteWAVRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 50000} {
		pcm := tone(440, 0.5, 22050, n)
		var b bytes.Buffer
		if err := WriteWAV(&b, pcm, 22050); err != nil {
			t.Fatal(err)
		}
		if b.Len() != 44+2*n {
			t.Errorf("%d samples: %d bytes", n, b.Len())
		}
		got, rate, err := ReadWAV(&b)
		if err != nil || rate != 22050 || !slices.Equal(got, pcm) {
			t.Errorf("%d samples: got %d at %d Hz, %v", n, len(got), rate, err)
		}
	}
	if err := WriteWAV(io.Discard, nil, 0); err == nil {
		t.Error("rate 0: no error")
	}
	if err := WriteWAV(failing{}, make([]int16, 50000), 16000); err == nil {
		t.Error("a writer that fails: no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Files sox writes, also to a pipe, where it cannot know the length.
func TestReadWAVFromSox(t *testing.T) {
	sox, err := exec.LookPath("sox")
	if err != nil {
		t.Skip("sox is not installed")
	}
	in := filepath.Join(t.TempDir(), "in.wav")
	var b bytes.Buffer
	want := tone(440, 0.5, 16000, 1600)
	if err := WriteWAV(&b, want, 16000); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		near int
	}{
		"16 bit": {[]string{"-b", "16"}, 0}, "24 bit": {[]string{"-b", "24"}, 0}, "32 bit": {[]string{"-b", "32"}, 0},
		"float": {[]string{"-e", "floating-point", "-b", "32"}, 0}, "8 bit": {[]string{"-b", "8"}, 256},
		"stereo": {[]string{"-b", "16", "-c", "2"}, 0}, "six channels": {[]string{"-b", "16", "-c", "6"}, 0},
	} {
		args := append([]string{"-D", in, "-t", "wav"}, append(c.args, "-")...)
		out, err := exec.Command(sox, args...).Output()
		if err != nil {
			t.Fatalf("%s: sox: %v", name, err)
		}
		got, rate, err := ReadWAV(bytes.NewReader(out))
		if err != nil || rate != 16000 || len(got) != len(want) {
			t.Errorf("%s: got %d samples at %d Hz, %v", name, len(got), rate, err)
			continue
		}
		for i := range got {
			if d := int(got[i]) - int(want[i]); d > c.near || d < -c.near {
				t.Errorf("%s: sample %d is %d, want %d", name, i, got[i], want[i])
				break
			}
		}
	}
}

// Whatever the bytes, ReadWAV neither panics nor takes more memory than the
// input deserves, and what it accepts is sound.
func FuzzReadWAV(f *testing.F) {
	mono := format(1, 1, 16000, 16)
	for _, seed := range [][]byte{
		riff(mono, chunk("data", make([]byte, 64))),
		riff(chunk("data", make([]byte, 9)), format(3, 2, 44100, 32)),
		riff(extensible(1, 16), le("data", uint32(unknownSize)), make([]byte, 10)),
		riff(format(1, 0, 0, 0)), []byte("RIFF"), nil,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pcm, rate, err := ReadWAV(bytes.NewReader(b))
		if err != nil {
			if pcm != nil || rate != 0 {
				t.Fatalf("error with %d samples at %d Hz", len(pcm), rate)
			}
			return
		}
		if rate < MinRate || rate > MaxRate || len(pcm) > len(b) {
			t.Fatalf("%d samples at %d Hz out of %d bytes", len(pcm), rate, len(b))
		}
	})
}

func BenchmarkReadWAV(b *testing.B) {
	var file bytes.Buffer
	if err := WriteWAV(&file, tone(440, 0.5, 48000, 48000), 48000); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ReadWAV(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
