package endpoint_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"parley/internal/endpoint"
	"parley/internal/fault"
)

// An adapter makes one client and, for each reply, one watchdog.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "RIFF....WAVE")
	}))
	defer server.Close()

	cfg := endpoint.Config{BaseURL: server.URL + "/v1", APIKey: "a-key"}
	client := endpoint.NewClient(cfg, endpoint.Options{})
	defer client.Close()

	speak := func(ctx context.Context) ([]byte, error) {
		const op = "tts/openai: speak"
		ctx, dog := endpoint.NewWatchdog(ctx)
		defer dog.Stop()
		dog.Arm(5 * time.Second) // for the head of the answer
		res, err := client.CreateSpeech(ctx, openai.CreateSpeechRequest{Model: "tts-1", Input: "Hello."})
		dog.Disarm()
		if err != nil {
			return nil, endpoint.Classify(op, dog.Err(err))
		}
		defer func() { _ = res.Close() }()
		audio, err := io.ReadAll(dog.Reader(res, 5*time.Second, 2*time.Second))
		return audio, endpoint.Classify(op, err)
	}

	audio, err := speak(context.Background())
	fmt.Printf("%s, fault %q, key %v\n", audio, fault.KindOf(err), cfg.APIKey)
	// Output: RIFF....WAVE, fault "", key [redacted]
}
