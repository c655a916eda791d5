//go:build cgo && !nopocketsphinx

package pocketsphinx

// #cgo pkg-config: pocketsphinx
// #cgo LDFLAGS: -lpthread
// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"parley/internal/fault"
	"parley/stt"
)

// built reports whether PocketSphinx is part of this binary.
const built = true

// native is a PocketSphinx decoder: about 93 MB, one goroutine at a time.
type native struct {
	d        *C.pps
	language string
}

// step is the resolution of word times.
const step = 10 * time.Millisecond

func openNative(cfg Config) (decoder, error) {
	f := cfg.files()
	hmm, lm, dict := C.CString(f.acoustic), C.CString(f.language), C.CString(f.dictionary)
	defer C.free(unsafe.Pointer(hmm))
	defer C.free(unsafe.Pointer(lm))
	defer C.free(unsafe.Pointer(dict))
	var why [256]C.char
	d := C.pps_open(hmm, lm, dict, &why[0], C.size_t(len(why)))
	if d == nil {
		return nil, fault.Newf(fault.Misconfigured, "stt/pocketsphinx: load model",
			"the library refuses it: %s", strings.TrimSpace(C.GoString(&why[0])))
	}
	return &native{d: d, language: cfg.Language}, nil
}

func (n *native) close() { C.pps_close(n.d) }

func (n *native) decode(pcm []int16, stop *atomic.Bool) (stt.Transcript, error) {
	if len(pcm) == 0 {
		return n.transcript(nil), nil
	}
	frames := C.pps_load(n.d, samples(pcm), C.size_t(len(pcm)))
	if frames < 0 {
		return stt.Transcript{}, n.failed("extract features")
	}
	if err := n.search(stop, func() C.int { return C.pps_step(n.d) }); err != nil {
		return stt.Transcript{}, err
	}
	if C.pps_finish(n.d) < 0 {
		return stt.Transcript{}, n.failed("end the utterance")
	}
	if frames == 0 {
		return n.transcript(nil), nil
	}
	return n.transcript(n.words()), nil
}

func (n *native) begin() error {
	if C.pps_begin(n.d) < 0 {
		return n.failed("begin")
	}
	return nil
}

func (n *native) hear(pcm []int16, stop *atomic.Bool) (string, error) {
	if len(pcm) > 0 && C.pps_hear(n.d, samples(pcm), C.size_t(len(pcm))) < 0 {
		return "", n.failed("extract features")
	}
	if err := n.search(stop, func() C.int { return C.pps_step_live(n.d) }); err != nil {
		return "", err
	}
	return n.transcript(n.words()).Text, nil
}

// search steps through the frames until none is left or stop is set; a step is
// 20 ms of audio, and takes a few milliseconds, seldom as much as 60.
func (n *native) search(stop *atomic.Bool, step func() C.int) error {
	for {
		if stop.Load() {
			C.pps_abandon(n.d)
			return errStopped
		}
		switch left := step(); {
		case left < 0:
			return n.failed("search")
		case left == 0:
			return nil
		}
	}
}

func (n *native) failed(what string) error {
	C.pps_abandon(n.d)
	return fault.New(fault.Failed, "stt/pocketsphinx: decode", errors.New("the library failed to "+what))
}

func (n *native) words() []stt.Word {
	var words []stt.Word
	var w C.pps_word
	C.pps_rewind(n.d)
	for C.pps_next(n.d, &w) != 0 {
		words = append(words, stt.Word{
			Text:  plain(C.GoString(w.text)),
			Start: time.Duration(w.start) * step, End: time.Duration(w.end) * step,
			Confidence: min(1, max(0, float64(w.posterior))),
		})
	}
	return words
}

// transcript joins words. Its confidence is the geometric mean of theirs.
func (n *native) transcript(words []stt.Word) stt.Transcript {
	tr := stt.Transcript{Final: true, Language: n.language, Words: words}
	if len(words) == 0 {
		return tr
	}
	texts := make([]string, len(words))
	sum := 0.0
	for i, w := range words {
		texts[i] = w.Text
		sum += math.Log(max(w.Confidence, 1e-6))
	}
	tr.Text = strings.Join(texts, " ")
	tr.Confidence = math.Exp(sum / float64(len(words)))
	return tr
}

// plain strips the number of an alternative pronunciation: "the(2)".
func plain(word string) string {
	if i := strings.IndexByte(word, '('); i > 0 {
		return word[:i]
	}
	return word
}

func samples(pcm []int16) *C.int16_t { return (*C.int16_t)(unsafe.Pointer(&pcm[0])) }
