//go:build cgo && !noflite

package flite

/*
#cgo LDFLAGS: -lflite_cmu_us_slt -lflite_cmu_us_rms -lflite_cmu_us_awb -lflite_cmu_us_kal16 -lflite_usenglish -lflite_cmulex -lflite -lm
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"time"
	"unsafe"

	"parley/audio"
	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
)

// voice is one of flite's. It lives as long as the process.
type voice struct{ v unsafe.Pointer }

func open(name string) (*voice, error) {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	v := C.parley_flite_voice(cName)
	if v == nil {
		return nil, fmt.Errorf("flite has no voice %q", name)
	}
	return &voice{v}, nil
}

// utterance is one text on its way through flite.
type utterance struct {
	tokens []token
	at     int // samples of the clause so far
	ctx    context.Context
	emit   perclause.Emit
	err    error // what stopped it
}

// say speaks u and returns when all of it was emitted or it was stopped.
func (v *voice) say(u *utterance, stretch float32) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	text := C.CString(join(u.tokens))
	defer C.free(unsafe.Pointer(text))
	h := cgo.NewHandle(u)
	defer h.Delete()
	ok := C.parley_flite_say(v.v, text, C.float(stretch), C.uintptr_t(h))
	switch {
	case u.err != nil:
		return u.err
	case ok == 0:
		return fault.Newf(fault.Failed, "tts/flite: speak", "flite gave no audio")
	}
	return nil
}

// parleyFliteAudio is called by flite with each piece of audio, and with the
// tokens' times together with the first. It returns 0 to stop.
//
//export parleyFliteAudio
func parleyFliteAudio(handle C.uintptr_t, samples *C.short, n C.int, times *C.float, tokens C.int) C.int {
	u := cgo.Handle(handle).Value().(*utterance)
	if u.err = u.ctx.Err(); u.err != nil {
		return 0
	}
	var words []tts.Word
	if tokens > 0 {
		spans := make([]span, tokens)
		for i, t := range unsafe.Slice(times, 2*int(tokens)) {
			d := time.Duration(float64(t) * float64(time.Second))
			if i%2 == 0 {
				spans[i/2].start = d
			} else {
				spans[i/2].end = d
			}
		}
		words = wordsOf(u.tokens, spans, audio.SamplesToDuration(u.at, Rate))
	}
	pcm := unsafe.Slice((*int16)(unsafe.Pointer(samples)), int(n))
	u.at += len(pcm)
	if u.err = u.emit(pcm, words...); u.err != nil {
		return 0
	}
	return 1
}
