// Package builtin is the assistant that answers when no language model is
// connected: a set of small skills with fixed rules. It tells the time and
// date, calculates, converts units, sets timers, spells, counts and makes small
// talk; whatever else it hears it repeats back and says honestly that it is no
// help there. It needs no network, and the same prompt always gives the same
// answer.
//
// It expects what a recogniser delivers, lower case without punctuation and
// with a word wrong here and there, as well as written text.
//
// May import: llm, internal/fault and the standard library.
// Concurrency: an Engine is immutable and safe for concurrent use.
package builtin

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"strings"

	"parley/llm"
)

// Config has no settings yet: there is nothing to choose.
type Config struct{}

// Validate accepts everything.
func (Config) Validate() error { return nil }

// Engine implements llm.Model.
type Engine struct {
	log    *slog.Logger
	skills []skill
}

var _ llm.Model = (*Engine)(nil)

// New returns an engine. log may be nil.
func New(_ Config, log *slog.Logger) (*Engine, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{log: log, skills: skills()}, nil
}

// Check always succeeds: nothing is needed.
func (e *Engine) Check(context.Context) error { return nil }

// Reply implements llm.Model. It yields the answer word by word. An action
// follows the first word, so that it is done even if the caller interrupts the
// confirmation.
func (e *Engine) Reply(ctx context.Context, p llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		name, a := e.answer(p)
		e.log.Debug("answered", "engine", "llm/builtin", "skill", name)
		for i, word := range strings.SplitAfter(a.text, " ") {
			if err := ctx.Err(); err != nil {
				yield(llm.Delta{}, err)
				return
			}
			if !yield(llm.Delta{Text: word}, nil) {
				return
			}
			if i == 0 && a.action != nil && (ctx.Err() != nil || !yield(llm.Delta{Action: a.action}, nil)) {
				return
			}
		}
	}
}

// answer asks one skill after the other. The last one always answers.
func (e *Engine) answer(p llm.Prompt) (string, answer) {
	q := newQuery(p)
	for _, s := range e.skills {
		if a, ok := s.try(q); ok {
			return s.name, a
		}
	}
	return "fallback", fallback(q)
}

// answer is what is said, at most two sentences, and what is to be done.
type answer struct {
	text   string
	action *llm.Action
}

// say is an answer that is only said.
func say(text string) (answer, bool) { return answer{text: text}, true }

// pass is the answer of a skill that is not meant.
func pass() (answer, bool) { return answer{}, false }

// skill is one thing the assistant can do: try answers, or passes.
type skill struct {
	name string
	try  func(query) (answer, bool)
}

// skills returns all skills. Those that recognise fixed forms come before
// those that look for single words.
func skills() []skill {
	return []skill{
		{"silence", silence},
		{"repeat", repeat},
		{"timers", timers},
		{"spelling", spelling},
		{"follow-up", followUp},
		{"arithmetic", arithmetic},
		{"conversion", conversion},
		{"dates", dates},
		{"clock", clock},
		{"chance", chance},
		{"counting", counting},
		{"about", about},
		{"small talk", smallTalk},
		{"limits", limits},
	}
}

func silence(q query) (answer, bool) {
	if len(q.words) > 0 {
		return pass()
	}
	return say("Sorry, I did not catch that.")
}

func action(name string, args any) *llm.Action {
	if args == nil {
		return &llm.Action{Name: name}
	}
	data, err := json.Marshal(args)
	if err != nil { // numbers and strings always marshal
		return nil
	}
	return &llm.Action{Name: name, Args: data}
}
