package conversation

import (
	"context"
	"iter"
	"strings"
	"time"

	"parley/conversation/clause"
	"parley/internal/fault"
	"parley/tts/speakable"
)

// clauseQueue is how many clauses may wait for the voice; when it is full the
// model waits. Most answers fit, so that a reply that a cough has stopped is
// known to its end.
const clauseQueue = 16

// replier is the work of one reply: one goroutine reads the model and cuts
// clauses, another has them spoken and written to the playback.
type replier struct {
	c        *Conversation
	call     context.Context // news are posted under it
	order    startReply
	playback Playback // nil: text only
	clauses  chan string
}

// startReply starts the work of a reply.
func (c *Conversation) startReply(call context.Context, order startReply) {
	ctx, cancel := context.WithCancelCause(call)
	r := &replier{c: c, call: call, order: order, clauses: make(chan string, clauseQueue)}
	select { // a speaker that waits was there before this reply
	case c.output = <-c.speaker:
	default:
	}
	if order.speak && c.output != nil {
		r.playback = c.output.Start(func(at time.Time) {
			select { // one packet a reply, and a stopped reply's is not missed
			case c.first <- packetSent{order.reply, at}:
			default:
			}
		})
	}
	c.replies[order.reply] = speaking{cancel, r.playback}
	c.work.Go(func() {
		defer cancel(nil)
		c.post(call, r.run(ctx))
	})
}

// run returns when all work of the reply has ended.
func (r *replier) run(ctx context.Context) replyReturned {
	thought := make(chan struct{})
	go func() {
		defer close(thought)
		defer close(r.clauses)
		r.think(ctx)
	}()
	defer func() { <-thought }()
	end := replyReturned{reply: r.order.reply}
	if r.playback == nil {
		for range r.clauses {
		}
		end.silent = true
		return end
	}
	end.total, end.lost = r.speak(ctx)
	end.played = r.playback.Stop()
	return end
}

// think streams the model's text, and cuts it into clauses for the voice.
func (r *replier) think(ctx context.Context) {
	var cutter clause.Cutter
	wrote := false
	err := r.read(ctx, func(text string) bool {
		wrote = wrote || strings.TrimSpace(text) != ""
		r.post(replyText{r.order.reply, text})
		return r.hand(ctx, cutter.Push(text)...)
	})
	if err == nil && !wrote && ctx.Err() == nil {
		err = fault.Newf(fault.Failed, "conversation: reply", "%T answered without any text", r.c.parts.Model)
	}
	if err = whyNot(ctx, err); err == nil && ctx.Err() != nil {
		return
	}
	said := ""
	if err != nil {
		said = apology(StageLLM, fault.KindOf(err))
		if wrote {
			said = " " + lostThread
		}
		r.post(replyText{r.order.reply, said})
	}
	r.hand(ctx, cutter.Flush(), said)
	r.post(generated{reply: r.order.reply, err: err, said: strings.TrimSpace(said)})
}

// read passes the reply's text to use as it comes, until use returns false.
func (r *replier) read(ctx context.Context, use func(string) bool) error {
	if r.order.fixed != "" {
		use(r.order.fixed)
		return nil
	}
	for d, err := range r.c.parts.Model.Reply(ctx, r.order.prompt) {
		if err != nil {
			return err
		}
		if d.Action != nil {
			r.post(replyAction{r.order.reply, *d.Action})
		}
		if d.Text != "" && !use(d.Text) {
			return nil
		}
	}
	return nil
}

// hand gives clauses to the voice; false when the reply was cancelled.
func (r *replier) hand(ctx context.Context, clauses ...string) bool {
	for _, text := range clauses {
		if text = speakable.Text(text, r.order.prompt.Language); text == "" {
			continue
		}
		r.post(clauseReady{r.order.reply, text})
		select {
		case r.clauses <- text:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// speak has the clauses spoken and played, and returns how much audio was made.
func (r *replier) speak(ctx context.Context) (total time.Duration, lost bool) {
	heard := false
	for s, err := range r.c.parts.Voice.Speak(ctx, r.text(ctx)) {
		if err != nil {
			r.voiceless(whyNot(ctx, err))
			break
		}
		if s.Clause != "" || len(s.Words) > 0 {
			r.post(voiceMark{r.order.reply, s.Clause, total, s.Words})
		}
		if len(s.PCM) == 0 {
			continue
		}
		if !heard {
			heard = true
			r.post(audioReady{r.order.reply})
		}
		if r.playback.Write(ctx, s.PCM, s.Rate) != nil {
			lost = ctx.Err() == nil
			break
		}
		total += time.Duration(len(s.PCM)) * time.Second / time.Duration(s.Rate)
	}
	if heard && !lost && ctx.Err() == nil {
		r.post(voiceMark{reply: r.order.reply, at: total})
		lost = r.playback.Drain(ctx) != nil && ctx.Err() == nil
	}
	for range r.clauses { // nobody speaks them, but the model must not wait
	}
	return total, lost
}

func (r *replier) voiceless(err error) {
	if err != nil {
		r.post(voiceStop{r.order.reply, err})
	}
}

func (r *replier) text(ctx context.Context) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			select {
			case text, ok := <-r.clauses:
				if !ok || !yield(text) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (r *replier) post(in Input) { r.c.post(r.call, in) }
