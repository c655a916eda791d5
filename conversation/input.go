package conversation

import "time"

// Input is something a caller asks for. The set is sealed. Ref is the client's
// own event id; it comes back in Refused.
type Input interface{ input() }

// The inputs.
type (
	// Configure changes the session; SessionChanged follows.
	Configure struct {
		Patch SessionPatch
		Ref   string
	}
	// Press: the talk button went down. Stops a reply, takes the pre-roll, listens until Release.
	Press struct{ Ref string }
	// Release: the talk button went up; the turn ends with the tail of the audio and is answered.
	Release struct{ Ref string }
	// Commit ends the caller's turn by hand (Realtime input_audio_buffer.commit), without asking for a reply.
	Commit struct{ Ref string }
	// ClearInput throws away what was heard and not committed.
	ClearInput struct{ Ref string }
	// AddText adds a message the caller wrote.
	AddText struct{ Text, Ref string }
	// CreateReply asks for a reply to what stands. Instructions, where not empty, serve this reply only.
	CreateReply struct{ Instructions, Ref string }
	// CancelReply stops the reply in the making or being spoken.
	CancelReply struct{ Ref string }
	// ClearOutput throws away what was not yet played of the reply.
	ClearOutput struct{ Ref string }
	// Heard is the client's word that the first audible sample of a reply came out of the speaker.
	Heard struct {
		Reply int
		Delay time.Duration // from PlaybackStarted, as it reached the client, to the sample; 0 to 5 s, else it is ignored
	}
	// HangUp ends the call.
	HangUp struct{ Cause string }
)

func (Configure) input()   {}
func (Press) input()       {}
func (Release) input()     {}
func (Commit) input()      {}
func (ClearInput) input()  {}
func (AddText) input()     {}
func (CreateReply) input() {}
func (CancelReply) input() {}
func (ClearOutput) input() {}
func (Heard) input()       {}
func (HangUp) input()      {}
