package openai

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "github.com/sashabaranov/go-openai"

	"parley/llm"
)

const (
	maxToolCalls = 4
	maxToolArgs  = 1 << 10
	maxTimer     = 24 * time.Hour
	maxLabel     = 60
)

// tools are the actions of the port, as OpenAI function definitions.
func tools() []api.Tool {
	return []api.Tool{
		{Type: api.ToolTypeFunction, Function: &api.FunctionDefinition{
			Name:        llm.ActionSetTimer,
			Description: "Set a timer that rings in this call. Only when the user asks for a timer or a reminder after some time.",
			Parameters: json.RawMessage(`{"type":"object","properties":{` +
				`"seconds":{"type":"number","description":"time from now in seconds"},` +
				`"label":{"type":"string","description":"one or two words that name the timer, such as egg or 5 minute"}},` +
				`"required":["seconds"]}`),
		}},
		{Type: api.ToolTypeFunction, Function: &api.FunctionDefinition{
			Name:        llm.ActionCancelTimers,
			Description: "Cancel all timers of this call. Only when the user asks for it.",
			Parameters:  json.RawMessage(`{"type":"object","properties":{}}`),
		}},
	}
}

// toolCalls gathers the calls that a stream delivers in fragments.
type toolCalls struct {
	calls []call
}

type call struct {
	index int
	id    string
	name  string
	args  string
}

// add takes the fragments of one piece. Servers that number nothing send each
// call whole, with an id of its own. What is beyond the limits is dropped: it
// cannot become a valid action.
func (t *toolCalls) add(fragments []api.ToolCall) {
	for _, f := range fragments {
		c := t.find(f)
		if c == nil {
			continue
		}
		if c.id == "" {
			c.id = f.ID
		}
		if len(c.name)+len(f.Function.Name) <= 64 {
			c.name += f.Function.Name
		}
		if len(c.args)+len(f.Function.Arguments) <= maxToolArgs {
			c.args += f.Function.Arguments
		}
	}
}

func (t *toolCalls) find(f api.ToolCall) *call {
	index := -1
	if f.Index != nil {
		index = *f.Index
	}
	for i := range t.calls {
		c := &t.calls[i]
		if c.index == index && (f.ID == "" || c.id == "" || c.id == f.ID) {
			return c
		}
	}
	if len(t.calls) == maxToolCalls {
		return nil
	}
	t.calls = append(t.calls, call{index: index, id: f.ID})
	return &t.calls[len(t.calls)-1]
}

// result turns the calls into deltas: the actions, after a confirmation for
// each where nothing was spoken. The arguments come from a model that heard a
// stranger, so they are checked like any other input.
func (t *toolCalls) result(spoken bool) []llm.Delta {
	var actions []llm.Delta
	var says []string
	for i := range t.calls {
		action, say := t.calls[i].action()
		if action != nil {
			actions = append(actions, llm.Delta{Action: action})
		}
		if action == nil || !spoken {
			says = append(says, say)
		}
	}
	if len(says) == 0 {
		return actions
	}
	text := strings.Join(says, " ")
	if spoken {
		text = " " + text
	}
	return append([]llm.Delta{{Text: text}}, actions...)
}

// action returns the action that c asks for, nil where it is none, and what to
// say about it.
func (c *call) action() (*llm.Action, string) {
	switch c.name {
	case llm.ActionCancelTimers:
		return &llm.Action{Name: c.name}, "Timers cancelled."
	case llm.ActionSetTimer:
		args, ok := timerArgs(c.args)
		if !ok {
			return nil, "I could not set that timer. Please tell me again how long it should run."
		}
		data, err := json.Marshal(args)
		if err != nil {
			return nil, "I could not set that timer."
		}
		return &llm.Action{Name: c.name, Args: data}, "Timer set for " + spokenDuration(args.Seconds) + "."
	default:
		return nil, "Sorry, I cannot do that."
	}
}

// timerArgs reads what models send: seconds as a number or a string.
func timerArgs(text string) (llm.TimerArgs, bool) {
	var raw struct {
		Seconds any    `json:"seconds"`
		Label   string `json:"label"`
	}
	if json.Unmarshal([]byte(text), &raw) != nil {
		return llm.TimerArgs{}, false
	}
	var seconds float64
	switch v := raw.Seconds.(type) {
	case float64:
		seconds = v
	case string:
		parsed, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return llm.TimerArgs{}, false
		}
		seconds = parsed
	}
	label := strings.Join(strings.Fields(raw.Label), " ")
	label = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(label), "timer"), " ")
	if len(label) > maxLabel {
		label = ""
	}
	// Written so that NaN fails.
	if !(seconds >= 1 && seconds <= maxTimer.Seconds()) {
		return llm.TimerArgs{}, false
	}
	return llm.TimerArgs{Seconds: seconds, Label: label}, true
}

// spokenDuration says a number of seconds: "1 hour 5 minutes".
func spokenDuration(seconds float64) string {
	s := int(seconds + 0.5)
	var parts []string
	for _, unit := range []struct {
		name   string
		length int
	}{{"hour", 3600}, {"minute", 60}, {"second", 1}} {
		n := s / unit.length
		s %= unit.length
		switch {
		case n == 1:
			parts = append(parts, "1 "+unit.name)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	return strings.Join(parts, " ")
}
