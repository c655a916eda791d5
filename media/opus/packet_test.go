package opus

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

const ms = time.Millisecond

// toc builds a table-of-contents byte (RFC 6716 §3.1).
func toc(config, code byte, stereo bool) byte {
	b := config<<3 | code
	if stereo {
		b |= 4
	}
	return b
}

func TestParseReadsTheTableOfContents(t *testing.T) {
	for _, c := range []struct {
		name     string
		packet   []byte
		mode     Mode
		frames   int
		duration time.Duration
		dtx, fec bool
	}{
		{"silk NB 10 ms", []byte{toc(0, 0, false), 1, 2}, SILK, 1, 10 * ms, false, false},
		{"silk WB 60 ms", []byte{toc(11, 0, false), 1, 2}, SILK, 1, 60 * ms, false, false},
		{"hybrid FB 20 ms", []byte{toc(15, 0, false), 1, 2}, Hybrid, 1, 20 * ms, false, false},
		{"celt 2.5 ms", []byte{toc(16, 0, false), 1, 2}, CELT, 1, 2500 * time.Microsecond, false, false},
		{"celt 20 ms ignores the flag's place", []byte{toc(31, 0, false), 0xff, 2}, CELT, 1, 20 * ms, false, false},
		{"one byte is DTX", []byte{toc(9, 0, false)}, SILK, 1, 20 * ms, true, false},
		{"two bytes are DTX", []byte{toc(9, 0, false), 0}, SILK, 1, 20 * ms, true, false},
		{"two equal frames", []byte{toc(9, 1, false), 1, 2, 3, 4}, SILK, 2, 40 * ms, false, false},
		{"two different frames", []byte{toc(9, 2, false), 1, 9, 8, 7}, SILK, 2, 40 * ms, false, false},
		{"three frames, constant", []byte{toc(9, 3, false), 3, 1, 2, 3}, SILK, 3, 60 * ms, false, false},
		{"three frames, variable", []byte{toc(9, 3, false), 0x83, 1, 2, 1, 2, 2, 3}, SILK, 3, 60 * ms, false, false},
		{"padded", []byte{toc(9, 3, false), 0x41, 2, 7, 0, 0}, SILK, 1, 20 * ms, false, false},
		{"LBRR in 20 ms", []byte{toc(9, 0, false), 0x40, 0}, SILK, 1, 20 * ms, false, true},
		{"voice flag alone", []byte{toc(9, 0, false), 0x80, 0}, SILK, 1, 20 * ms, false, false},
		{"LBRR in 60 ms", []byte{toc(11, 0, false), 0x10, 0}, SILK, 1, 60 * ms, false, true},
		{"LBRR in the side channel", []byte{toc(9, 0, true), 0x10, 0}, SILK, 1, 20 * ms, false, true},
		{"48 frames of 2.5 ms", append([]byte{toc(16, 3, false), 48}, make([]byte, 48)...), CELT, 48, 120 * ms, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(c.packet)
			if err != nil {
				t.Fatal(err)
			}
			if p.Mode != c.mode || p.Frames != c.frames || p.Duration() != c.duration || p.DTX != c.dtx || p.FEC != c.fec {
				t.Errorf("got %+v (%v)", p, p.Duration())
			}
			if want := int(c.duration * 16 / ms); p.Samples() != want {
				t.Errorf("samples = %d, want %d", p.Samples(), want)
			}
		})
	}
}

func TestParseRefusesWhatTheRulesForbid(t *testing.T) {
	for name, packet := range map[string][]byte{
		"empty":                       {},
		"frame over 1275 bytes":       append([]byte{toc(9, 0, false)}, make([]byte, 1276)...),
		"odd bytes for equal frames":  {toc(9, 1, false), 1, 2, 3},
		"equal frames over 1275":      append([]byte{toc(9, 1, false)}, make([]byte, 2*1276)...),
		"first of two too long":       {toc(9, 2, false), 5, 1},
		"first of two without length": {toc(9, 2, false)},
		"half a length":               {toc(9, 2, false), 252},
		"second of two over 1275":     append([]byte{toc(9, 2, false), 1}, make([]byte, 1277)...),
		"no count":                    {toc(9, 3, false)},
		"no frames":                   {toc(9, 3, false), 0},
		"140 ms":                      append([]byte{toc(9, 3, false), 7}, make([]byte, 7)...),
		"uneven constant frames":      {toc(9, 3, false), 3, 1, 2},
		"padding longer than packet":  {toc(9, 3, false), 0x41, 9, 1},
		"padding without end":         {toc(9, 3, false), 0x41, 255},
		"variable without lengths":    {toc(9, 3, false), 0x83, 1},
		"variable too long":           {toc(9, 3, false), 0x82, 9, 1},
	} {
		if p, err := Parse(packet); !errors.Is(err, ErrPacket) {
			t.Errorf("%s: got %+v, %v; want ErrPacket", name, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{toc(9, 0, false), 0x40, 0})
	f.Add([]byte{toc(9, 3, false), 0xc3, 2, 1, 2, 1, 2, 2, 3, 0, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 1300))
	for _, p := range encodeSpeech(f, 16000, 5) {
		f.Add(p)
	}
	dec, err := NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	pcm := make([]int16, MaxSamples)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		n, decErr := dec.Decode(data, pcm)
		if err != nil {
			if decErr == nil {
				t.Fatalf("Parse: %v, but it was decoded", err)
			}
			return
		}
		if decErr != nil || n != p.Samples() {
			t.Fatalf("Parse says %d samples, Decode %d, %v", p.Samples(), n, decErr)
		}
		if err := dec.DecodeFEC(data, pcm[:320]); err != nil {
			t.Fatal(err)
		}
	})
}
