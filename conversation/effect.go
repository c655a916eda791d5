package conversation

import (
	"time"

	"parley/llm"
	"parley/stt"
	"parley/tts"
)

// effect is something step wants done. The set is sealed; perform carries it out.
type effect interface{ effect() }

type (
	emit struct{ event Event }
	// openUtterance starts to feed audio, from media time `from`
	// less the session's prefix on, to a transcription for turn.
	openUtterance struct {
		turn int
		from time.Duration
	}
	// awaitTail asks for tailEnded once the sound that was under way when the button went up has passed.
	awaitTail struct{ turn int }
	// closeUtterance ends the audio of the turn; its transcription finishes.
	closeUtterance struct{ turn int }
	// dropUtterance cancels the turn's transcription.
	dropUtterance struct{ turn int }
	// tuneEar applies the session's detector settings.
	tuneEar struct{ session Session }
	// startReply begins a reply: from the model, or, where fixed is set, those words.
	startReply struct {
		reply  int
		fixed  string
		prompt llm.Prompt
		speak  bool
	}
	// stopReply flushes the reply's audio and cancels its work.
	stopReply struct {
		reply int
		cause error
	}
	// hangUp makes the loop end.
	hangUp struct{}
)

func (emit) effect()           {}
func (openUtterance) effect()  {}
func (awaitTail) effect()      {}
func (closeUtterance) effect() {}
func (dropUtterance) effect()  {}
func (tuneEar) effect()        {}
func (startReply) effect()     {}
func (stopReply) effect()      {}
func (hangUp) effect()         {}

// The inputs that come from the call's own parts. Turn and reply numbers that
// are no longer current are ignored by step: they are late news.
type (
	// speechBegan and speechEnded come from the ear in hands-free mode.
	speechBegan struct {
		media   time.Duration
		arrived time.Time
	}
	speechEnded struct {
		media   time.Duration
		arrived time.Time // arrival of the last packet that held speech
		forced  bool      // the turn has become too long
	}
	// tailEnded answers awaitTail.
	tailEnded struct {
		turn    int
		media   time.Duration
		arrived time.Time // of the last packet taken
	}
	// transcribed carries partials and the final words.
	transcribed struct {
		turn   int
		result stt.Transcript
		audio  time.Duration // length of the utterance so far
		voiced time.Duration // how much of it the detector took for speech
	}
	// transcriptionFailed comes instead of a final transcript.
	transcriptionFailed struct {
		turn int
		err  error
	}
	// replyText, replyAction, clauseReady and generated come from the model's side of a reply.
	replyText struct {
		reply int
		delta string
	}
	replyAction struct {
		reply  int
		action llm.Action
	}
	clauseReady struct {
		reply int
		text  string // as it will be spoken
	}
	generated struct {
		reply int
		err   error // nil, or why the model stopped short; the caller hears an apology in the same reply
		said  string
	}
	// voiceMark and packetSent come from the voice's side.
	voiceMark struct {
		reply  int
		clause string // begins at `at`; "" where only words are news
		at     time.Duration
		words  []tts.Word
	}
	audioReady struct{ reply int }
	packetSent struct {
		reply int
		at    time.Time
	}
	voiceStop struct { // the voice failed; the text goes on
		reply int
		err   error
	}
	// replyReturned is the last news of a reply: all its work has ended.
	replyReturned struct {
		reply  int
		played Played
		total  time.Duration // audio made
		lost   bool          // the speaker went away before the end
		silent bool          // there was no speaker: the text was the whole reply
	}
	// tick lets time pass; played is the position of the active reply.
	tick struct{ played Played }
)

func (speechBegan) input()         {}
func (speechEnded) input()         {}
func (tailEnded) input()           {}
func (transcribed) input()         {}
func (transcriptionFailed) input() {}
func (replyText) input()           {}
func (replyAction) input()         {}
func (clauseReady) input()         {}
func (generated) input()           {}
func (voiceMark) input()           {}
func (audioReady) input()          {}
func (packetSent) input()          {}
func (voiceStop) input()           {}
func (replyReturned) input()       {}
func (tick) input()                {}
