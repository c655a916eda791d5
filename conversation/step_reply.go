package conversation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parley/internal/fault"
	"parley/internal/timeline"
	"parley/llm"
)

func (x *stepper) takeReply(in Input) {
	switch in := in.(type) {
	case replyReturned:
		x.endReply(in)
	case replyText:
		if r := x.current(in.reply); r != nil {
			x.stamp(r.turn, timeline.LLMFirstToken)
			r.text.WriteString(in.delta)
			x.emit(ReplyText{Turn: r.turn.n, Reply: r.n, Delta: in.delta})
		}
	case replyAction:
		if x.current(in.reply) != nil {
			x.act(in.action)
		}
	case clauseReady:
		if r := x.current(in.reply); r != nil {
			x.stamp(r.turn, timeline.LLMFirstClause)
			r.clauses = append(r.clauses, in.text)
		}
	case generated:
		x.generated(in)
	case voiceMark:
		if r := x.current(in.reply); r != nil {
			if in.clause != "" {
				r.script.begin(in.clause, in.at)
			}
			r.script.mark(in.words)
			r.script.extend(in.at)
		}
	case audioReady:
		if r := x.current(in.reply); r != nil {
			x.stamp(r.turn, timeline.TTSFirstAudio)
		}
	case packetSent:
		x.packetSent(in)
	case voiceStop:
		x.voiceFailed(in)
	}
}

func (x *stepper) generated(in generated) {
	r := x.current(in.reply)
	if r == nil {
		return
	}
	if in.err != nil {
		kind := fault.KindOf(in.err)
		x.emit(StageFailed{Turn: r.turn.n, Stage: StageLLM, Kind: kind, Err: in.err, Spoken: in.said})
		r.status, r.reason = Failed, "llm_"+string(kind)
	}
	x.emit(ReplyTextDone{Turn: r.turn.n, Reply: r.n, Text: r.text.String()})
}

func (x *stepper) packetSent(in packetSent) {
	r := x.current(in.reply)
	if r == nil || r.started {
		return
	}
	r.started, r.progress = true, x.now
	r.turn.line.Set(timeline.FirstPacketSent, in.at)
	x.emit(PlaybackStarted{Turn: r.turn.n, Reply: r.n})
	x.emit(TimelineChanged{Turn: r.turn.n, Timeline: r.turn.line})
}

func (x *stepper) voiceFailed(in voiceStop) {
	r := x.current(in.reply)
	if r == nil {
		return
	}
	kind := fault.KindOf(in.err)
	x.emit(StageFailed{Turn: r.turn.n, Stage: StageTTS, Kind: kind, Err: in.err, Spoken: apology(StageTTS, kind)})
	r.status, r.reason, r.mute = Failed, "tts_"+string(kind), true
}

// endReply closes the active reply once all its work has ended.
func (x *stepper) endReply(in replyReturned) {
	r := x.reply
	if r == nil || r.n != in.reply {
		return
	}
	x.reply = nil
	if in.lost && r.status == "" {
		r.status, r.reason = Cancelled, "speaker_lost"
	}
	t := r.turn
	heard, text := r.text.String(), r.text.String()
	if r.spoken && !in.silent && (r.stopped || r.mute || in.lost) {
		r.script.extend(in.total)
		heard = r.script.heard(in.played.Heard)
	}
	if r.reason == reasonTurnDetected && r.started { // in case that was no speech at all
		x.resume = rest(r.clauses, heard)
	}
	if r.status == "" {
		r.status = Completed
	}
	if r.started && !r.stopped {
		t.line.Set(timeline.ReplyEnded, x.now)
		x.emit(PlaybackStopped{Turn: t.n, Reply: r.n})
	}
	x.estimateHearing(r)
	t.heard = heard
	if r.status != Completed || t.status == Completed {
		t.status = r.status
	}
	if r.reason != "" {
		t.reason = r.reason
	}
	x.remember(llm.Assistant, heard)
	x.emit(ReplyEnded{
		Turn: t.n, Reply: r.n, Status: r.status, Reason: r.reason,
		Generated: text, Heard: heard, Played: in.played.Heard,
	})
	x.lastDoneReply = r.n
	x.close(t)
}

// estimateHearing dates the first sample at the caller's ear from RTCP where
// the client has not reported it itself.
func (x *stepper) estimateHearing(r *reply) {
	if sent, ok := r.turn.line.At(timeline.FirstPacketSent); ok && r.lag > 0 {
		r.turn.line.Set(timeline.FirstPacketHeard, sent.Add(r.lag))
	}
}

// heardFirst notes when the caller's side played the first sample.
func (x *stepper) heardFirst(in Heard) {
	t := x.lastDone
	if r := x.reply; r != nil && r.n == in.Reply {
		t = r.turn
	} else if in.Reply != x.lastDoneReply {
		return
	}
	if t == nil {
		return
	}
	sent, ok := t.line.At(timeline.FirstPacketSent)
	if _, known := t.line.At(timeline.FirstPacketHeard); !ok || known || in.Delay < 0 || in.Delay > 5*time.Second {
		return // a client cannot have heard it before it was sent, nor that late
	}
	t.line.Set(timeline.FirstPacketHeard, sent.Add(in.Delay))
	x.emit(TimelineChanged{Turn: t.n, Timeline: t.line})
}

// act does what the model asked for beside its words.
func (x *stepper) act(a llm.Action) {
	switch a.Name {
	case llm.ActionSetTimer:
		var args llm.TimerArgs
		if json.Unmarshal(a.Args, &args) != nil || args.Seconds <= 0 || args.Seconds > 86400 || len(x.timers) >= maxTimers {
			x.refuse("timer_not_set", "The timer could not be set: it must ring within a day, and 16 are the most.", "")
			return
		}
		t := timer{label: args.Label, due: x.now.Add(time.Duration(args.Seconds * float64(time.Second)))}
		x.timers = append(x.timers, t)
		x.emit(TimerSet{Label: t.label, Due: t.due})
	case llm.ActionCancelTimers:
		x.timers = nil
	}
}

func (x *stepper) tick(in tick) {
	if r := x.reply; r != nil && r.started && !r.stopped && !x.now.Before(r.progress.Add(progressGap)) {
		r.progress, r.lastHeard, r.lag = x.now, in.played.Heard, max(r.lag, in.played.Sent-in.played.Heard)
		if heard := r.script.heard(in.played.Heard); heard != r.shown {
			r.shown = heard
			x.emit(PlaybackProgress{Turn: r.turn.n, Reply: r.n, Heard: heard, Position: in.played.Heard})
		}
	}
	for i := 0; i < len(x.timers); {
		t := x.timers[i]
		if t.due.After(x.now) {
			i++
			continue
		}
		x.timers = slices.Delete(x.timers, i, i+1)
		x.ring(t)
	}
}

// ring opens a turn that tells of the timer; it waits for its place like any other.
func (x *stepper) ring(t timer) {
	x.emit(TimerRang{Label: t.label})
	rung := x.openTurn(inputTimer, x.now)
	rung.phase, rung.answer, rung.fixed = understood, true, timerDone
	if t.label != "" {
		rung.fixed = fmt.Sprintf(timerDoneWith, t.label)
	}
	x.stamp(rung, timeline.SpeechEnded, timeline.EndpointDecided, timeline.STTFinal)
}
