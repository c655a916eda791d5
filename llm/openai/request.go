package openai

import (
	"math"
	"net/url"
	"strings"

	api "github.com/sashabaranov/go-openai"

	"parley/llm"
)

// request lays out what is sent.
func (e *Engine) request(p llm.Prompt, model string, withTools bool) api.ChatCompletionRequest {
	r := api.ChatCompletionRequest{
		Model:           model,
		Messages:        messages(p, e.cfg),
		ReasoningEffort: e.cfg.ReasoningEffort,
	}
	limit := e.cfg.MaxTokens
	if p.MaxTokens > 0 {
		limit = p.MaxTokens
	}
	// The cloud has deprecated the old name, which many servers know alone.
	if e.isCloud() {
		r.MaxCompletionTokens = limit
	} else {
		r.MaxTokens = limit
	}
	temperature := e.cfg.Temperature
	if p.Temperature != nil {
		temperature = p.Temperature
	}
	if temperature != nil {
		// The library leaves out a zero; this is as good as one.
		r.Temperature = max(float32(*temperature), math.SmallestNonzeroFloat32)
	}
	if withTools {
		r.Tools = tools()
	}
	return r
}

func (e *Engine) isCloud() bool {
	u, err := url.Parse(e.cfg.Endpoint().URL())
	return err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".openai.com"))
}
