package openai

import (
	"strings"

	api "github.com/sashabaranov/go-openai"

	"parley/llm"
)

// clockNote tells a model what the brackets after the last message are.
const clockNote = "The note in brackets after the user's last words tells the local time. Use it only where it matters and never read it out as such."

// messages lays a prompt out for the server. The first message is the same
// over a whole call, and the history changes at its end only (see trim), so
// that a server's prefix cache holds; what changes with every turn, the clock,
// goes with the last message. Messages without text are left out and
// neighbours of one role joined, since many chat templates insist on turns.
func messages(p llm.Prompt, cfg Config) []api.ChatCompletionMessage {
	history, opening := alternate(p.Messages)
	system := systemText(p, cfg, opening)
	history = trim(history, cfg.MaxHistory, cfg.MaxHistoryChars)
	out := make([]api.ChatCompletionMessage, 0, len(history)+1)
	if system != "" {
		out = append(out, api.ChatCompletionMessage{Role: api.ChatMessageRoleSystem, Content: system})
	}
	for i, m := range history {
		text := m.Text
		if i == len(history)-1 && cfg.TellsTime && !p.Now.IsZero() {
			text += "\n\n[" + p.Now.Format("Monday, 2 January 2006, 15:04") + "]"
		}
		out = append(out, api.ChatCompletionMessage{Role: string(m.Role), Content: text})
	}
	return out
}

func systemText(p llm.Prompt, cfg Config, opening string) string {
	var parts []string
	if p.Instructions != "" {
		parts = append(parts, p.Instructions)
	}
	if p.Language != "" {
		parts = append(parts, "The user's language, as a BCP 47 tag, is "+p.Language+".")
	}
	if opening != "" {
		parts = append(parts, "You have opened the conversation by saying: "+opening)
	}
	if cfg.TellsTime && !p.Now.IsZero() {
		parts = append(parts, clockNote)
	}
	return strings.Join(parts, "\n\n")
}

// alternate drops empty messages and joins neighbours of one role, so that
// roles take turns, the user first. What the assistant said before is opening.
func alternate(in []llm.Message) (out []llm.Message, opening string) {
	for _, m := range in {
		if strings.TrimSpace(m.Text) == "" {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Text += "\n" + m.Text
			continue
		}
		out = append(out, m)
	}
	if len(out) > 0 && out[0].Role == llm.Assistant {
		opening, out = out[0].Text, out[1:]
	}
	return out, opening
}

// trim keeps the last messages: at most maxMessages of them and maxBytes bytes.
// Its input takes turns and starts with the user; so does its output, which is
// never empty. It cuts off a good part of what is allowed at a time, so that
// the beginning of what is sent stays the same for many turns.
func trim(in []llm.Message, maxMessages, maxBytes int) []llm.Message {
	if len(in) == 0 {
		return in
	}
	half := max(2, maxMessages/4*2) // even, so that the first stays the user's
	lastUser := (len(in) - 1) &^ 1
	from := 0
	for len(in)-from > maxMessages && from < lastUser {
		from += half
	}
	from = min(from, lastUser)
	for size(in[from:]) > maxBytes && from < lastUser {
		from = min(from+min(half, 8), lastUser)
	}
	out := append([]llm.Message(nil), in[from:]...)
	for i := range out {
		if len(out[i].Text) > maxBytes {
			out[i].Text = strings.ToValidUTF8(out[i].Text[:maxBytes], "")
		}
	}
	return out
}

func size(in []llm.Message) int {
	n := 0
	for _, m := range in {
		n += len(m.Text)
	}
	return n
}
