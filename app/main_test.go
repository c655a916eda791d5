package app

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain shuts out what the machine has: its Ollama, its keys and its data.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley-app")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for name, value := range map[string]string{
		"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "OLLAMA_HOST": "127.0.0.1:1", "XDG_DATA_HOME": dir,
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		os.RemoveAll(dir)
		os.Exit(status)
	}))
}
