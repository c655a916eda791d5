package app

import (
	"fmt"
	"log/slog"

	"parley/conversation"
	"parley/media/vad"
	"parley/media/vad/energy"
	"parley/media/vad/silero"
)

// weights is the file that set-up fetches.
const weights = "silero_vad_v6.onnx"

// newDetectors returns what makes a detector for each call, and its name. The
// network's weights are loaded once.
func newDetectors(cfg Config, log *slog.Logger) (func() conversation.Detector, string, error) {
	model, why := loadSilero(cfg)
	switch {
	case model == nil && cfg.VAD.Engine == "silero":
		return nil, "", fmt.Errorf("vad.engine is silero, but %s", why)
	case model == nil && cfg.VAD.Engine == Auto:
		log.Warn("voice activity is detected by energy alone", "why", why, "fix", "run scripts/setup.sh, or set models")
	}
	detector := func(score func() vad.Scorer) func() conversation.Detector {
		return func() conversation.Detector {
			return vad.NewSegmenter(cfg.detector(), score())
		}
	}
	if model == nil {
		return detector(func() vad.Scorer { return energy.New() }), "energy", nil
	}
	return detector(func() vad.Scorer { return model.NewScorer() }), "silero", nil
}

// loadSilero returns the network, or why there is none.
func loadSilero(cfg Config) (*silero.Model, string) {
	if cfg.VAD.Engine == "energy" {
		return nil, "vad.engine is energy"
	}
	path := cfg.findModel(weights)
	if path == "" {
		return nil, "the weights " + weights + " are nowhere to be found"
	}
	model, err := silero.Load(path)
	if err != nil {
		return nil, fmt.Sprintf("the weights cannot be read: %v", err)
	}
	return model, ""
}
