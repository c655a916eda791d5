package loadtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/hraban/opus.v2"

	"parley/audio"
)

const (
	wireRate  = 48000 // Opus's RTP clock, and what a browser's encoder is fed
	frameSize = wireRate / 50

	// SpeechRange and SpeechFloor decide which frames of a clip hold speech:
	// those within SpeechRange dB of the clip's loudest frame, and never below
	// SpeechFloor dBFS. Both are about the RMS of 20 ms of the recording itself.
	// Opus delays sound by 6.5 ms, so that the end of the last such frame may
	// spill into the packet after it; a wait is counted from the frame's own
	// packet all the same, which is the stricter of the two ways to count.
	SpeechRange = 30.0
	SpeechFloor = -60.0

	// tail is how many frames of silence follow a clip, encoded with it, so
	// that the far decoder fades out as it would with an open microphone.
	tail = 5
)

// Clip is a recording, encoded once, ready to be sent by any number of callers.
// It is immutable.
type Clip struct {
	Name        string
	packets     [][]byte // Opus, 20 ms each; the last `tail` of them silence
	first, last int      // the first and the last frame with speech; -1 without any
}

// NewClip encodes mono PCM of rate Hz for the wire: 48 kHz, 20 ms, 32 kbit/s,
// in-band FEC, as browsers send. Which frames hold speech follows from
// SpeechRange and SpeechFloor.
func NewClip(name string, pcm []int16, rate int) (*Clip, error) {
	wide, err := audio.Resample(pcm, rate, wireRate)
	if err != nil {
		return nil, failf(BadAudio, err, "%s cannot be used: %s.", name, plainly(err))
	}
	if len(wide) == 0 {
		return nil, failf(BadAudio, nil, "%s holds no audio.", name)
	}
	frames := (len(wide) + frameSize - 1) / frameSize
	wide = append(wide, make([]int16, (frames+tail)*frameSize-len(wide))...)
	c := &Clip{Name: name}
	c.first, c.last = speechBounds(wide[:frames*frameSize])
	if c.packets, err = encode(wide); err != nil {
		return nil, err
	}
	return c, nil
}

// LoadClip reads a WAV file of any rate (see audio.ReadWAV) as a Clip named
// after the file.
func LoadClip(path string) (*Clip, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failf(BadAudio, err, "There is no file %s.", path)
	case err != nil:
		return nil, failf(BadAudio, err, "%s cannot be opened: %v.", path, root(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil, failf(BadAudio, nil, "%s cannot be read as audio: the file is empty.", path)
	}
	pcm, rate, err := audio.ReadWAV(file)
	switch {
	case errors.Is(err, audio.ErrNotWAV):
		return nil, failf(BadAudio, err, "%s is not a WAV file. Convert it first, for instance with: sox FILE out.wav", path)
	case err != nil:
		return nil, failf(BadAudio, err, "%s cannot be read as audio: %s.", path, plainly(err))
	}
	c, err := NewClip(filepath.Base(path), pcm, rate)
	if err != nil {
		return nil, err
	}
	if c.last < 0 {
		return nil, failf(BadAudio, nil, "%s holds only silence: nobody could answer it.", path)
	}
	return c, nil
}

// plainly is what is wrong with a recording, without the places that found it.
func plainly(err error) string {
	var file *fs.PathError
	if errors.As(err, &file) {
		return file.Err.Error()
	}
	text := err.Error()
	for _, place := range []string{"audio: read wav: ", "audio: resample: "} {
		text = strings.TrimPrefix(text, place)
	}
	return text
}

// Duration is the clip's length in whole frames.
func (c *Clip) Duration() time.Duration { return time.Duration(c.frames()) * audio.FrameDuration }

// Speech is the stretch from the first frame with speech to the end of the
// last; 0, 0 where there is none.
func (c *Clip) Speech() (from, to time.Duration) {
	if c.last < 0 {
		return 0, 0
	}
	return time.Duration(c.first) * audio.FrameDuration, time.Duration(c.last+1) * audio.FrameDuration
}

// frames is how many packets there are without the tail.
func (c *Clip) frames() int { return len(c.packets) - tail }

// Levels is what the far side hears: the RMS of each packet as it decodes, in
// dBFS, those of the tail after the clip included.
func (c *Clip) Levels() ([]float64, error) {
	dec, err := opus.NewDecoder(wireRate, 1)
	if err != nil {
		return nil, fmt.Errorf("loadtest: opus decoder: %w", err)
	}
	levels := make([]float64, len(c.packets))
	pcm := make([]int16, frameSize)
	for i, p := range c.packets {
		n, err := dec.Decode(p, pcm)
		if err != nil {
			return nil, fmt.Errorf("loadtest: decode: %w", err)
		}
		levels[i] = audio.DBFS(audio.RMS(pcm[:n]))
	}
	return levels, nil
}

// speechBounds finds the first and last frame of 48 kHz PCM with speech.
func speechBounds(pcm []int16) (first, last int) {
	loudest := audio.Silence
	for i := 0; i < len(pcm); i += frameSize {
		loudest = max(loudest, audio.DBFS(audio.RMS(pcm[i:i+frameSize])))
	}
	threshold := max(loudest-SpeechRange, SpeechFloor)
	first, last = -1, -1
	for i := 0; i < len(pcm); i += frameSize {
		if audio.DBFS(audio.RMS(pcm[i:i+frameSize])) < threshold {
			continue
		}
		if last = i / frameSize; first < 0 {
			first = last
		}
	}
	return first, last
}

// encode turns whole frames of 48 kHz PCM into Opus packets.
func encode(pcm []int16) ([][]byte, error) {
	enc, err := opus.NewEncoder(wireRate, 1, opus.AppVoIP)
	if err != nil {
		return nil, fmt.Errorf("loadtest: opus encoder: %w", err)
	}
	err = errors.Join(enc.SetBitrate(32000), enc.SetComplexity(5), enc.SetInBandFEC(true), enc.SetPacketLossPerc(5))
	if err != nil {
		return nil, fmt.Errorf("loadtest: opus encoder: %w", err)
	}
	packets := make([][]byte, 0, len(pcm)/frameSize)
	buf := make([]byte, 1500)
	for ; len(pcm) >= frameSize; pcm = pcm[frameSize:] {
		n, err := enc.Encode(pcm[:frameSize], buf)
		if err != nil {
			return nil, fmt.Errorf("loadtest: encode: %w", err)
		}
		packets = append(packets, append([]byte(nil), buf[:n]...))
	}
	return packets, nil
}

// silence is what a microphone in a silent room sends.
func silence() ([][]byte, error) { return encode(make([]int16, 10*frameSize)) }
