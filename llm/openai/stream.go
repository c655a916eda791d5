package openai

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	api "github.com/sashabaranov/go-openai"

	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/llm"
)

// tailTimeout is how long to wait for the formal end of a stream after the
// model has said why it finished.
const tailTimeout = 250 * time.Millisecond

// attempt asks the server once and speaks what comes. An error after the
// consumer left is of no interest.
func (r *reply) attempt(parent context.Context, withTools bool) error {
	ctx, dog := endpoint.NewWatchdog(parent)
	defer dog.Stop()
	dog.Arm(r.firstDeadline(r.engine.cfg.FirstTokenTimeout))
	model, err := r.engine.Model(ctx)
	if err != nil {
		return r.classify(dog, err)
	}
	stream, err := r.engine.client.CreateChatCompletionStream(ctx, r.engine.request(r.prompt, model, withTools))
	if err != nil {
		return r.classify(dog, err)
	}
	defer func() { _ = stream.Close() }()
	s := &speech{reply: r, ctx: parent, dog: dog, filter: thinkFilter{inside: r.engine.cfg.StartsThinking}}
	return s.read(stream)
}

// firstDeadline is what is left of timeout, which counts from the start of the
// reply.
func (r *reply) firstDeadline(timeout time.Duration) time.Duration {
	return max(time.Millisecond, timeout-time.Since(r.start))
}

func (r *reply) classify(dog *endpoint.Watchdog, err error) error {
	return endpoint.Classify(op, dog.Err(err))
}

// speech is what is spoken of one attempt.
type speech struct {
	*reply
	ctx    context.Context // of the reply, to be silent once it is done
	dog    *endpoint.Watchdog
	filter thinkFilter
	calls  toolCalls
	reason api.FinishReason // why the model finished; "" until it has
	mute   int              // chunks without text so far
}

// read speaks the stream to its end.
func (s *speech) read(stream *api.ChatCompletionStream) error {
	for {
		chunk, err := stream.Recv()
		s.dog.Disarm()
		if errors.Is(err, io.EOF) || err != nil && s.reason != "" {
			return s.finish()
		}
		if err != nil {
			return s.classify(s.dog, err)
		}
		if !s.take(chunk) {
			s.dog.Stop() // no more tokens, now
			return nil
		}
		s.dog.Arm(s.patience())
	}
}

// patience is how long the next piece may take.
func (s *speech) patience() time.Duration {
	cfg := s.engine.cfg
	// Servers name the reasoning differently, but all send chunks meanwhile. A
	// first one without text only opens the message.
	thinking := s.filter.inside || s.mute > 2
	switch {
	case s.reason != "":
		return tailTimeout
	case s.spoken > 0:
		return cfg.IdleTimeout
	case thinking:
		return min(cfg.FirstTokenTimeout, s.firstDeadline(max(cfg.ThinkTimeout, cfg.FirstTokenTimeout)))
	default:
		return s.firstDeadline(cfg.FirstTokenTimeout)
	}
}

// take speaks one chunk. It returns false when the reply is over.
func (s *speech) take(chunk api.ChatCompletionStreamResponse) bool {
	for _, choice := range chunk.Choices {
		if choice.Index != 0 {
			continue
		}
		text := choice.Delta.Content
		if text == "" {
			text = choice.Delta.Refusal
		}
		if text == "" {
			s.mute++
		}
		s.calls.add(choice.Delta.ToolCalls)
		if !s.say(s.filter.write(text)) {
			return false
		}
		if r := choice.FinishReason; r != "" && r != api.FinishReasonNull {
			s.reason = r
		}
	}
	return true
}

// say yields text and notes that it was. It returns false when the reply is
// over: nobody wants it any more, or it is long enough.
func (s *speech) say(text string) bool {
	if text == "" {
		return true
	}
	if s.ctx.Err() != nil {
		return false
	}
	room := s.engine.cfg.MaxChars - s.spoken
	whole := len(text) <= room
	if !whole {
		text = strings.ToValidUTF8(text[:room], "")
		s.engine.log.Warn("reply cut off", "max_chars", s.engine.cfg.MaxChars)
	}
	s.spoken += len(text)
	s.left = text != "" && !s.yield(llm.Delta{Text: text}, nil)
	return whole && !s.left
}

// finish speaks what was held back, and acts on tool calls.
func (s *speech) finish() error {
	if !s.say(s.filter.flush()) {
		return nil
	}
	for _, d := range s.calls.result(s.spoken > 0) {
		if !s.say(d.Text) || s.ctx.Err() != nil {
			return nil
		}
		if d.Action == nil {
			continue
		}
		if s.left = !s.yield(d, nil); s.left {
			return nil
		}
	}
	switch {
	case s.spoken > 0:
		return nil
	case s.reason == api.FinishReasonLength:
		return fault.Newf(fault.Misconfigured, op, "max_tokens were used up before the answer began")
	default:
		return fault.Newf(fault.Failed, op, "the model said nothing")
	}
}
