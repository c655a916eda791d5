package app

import (
	"fmt"

	"parley/conversation"
	"parley/media/vad"
	"parley/media/vad/energy"
	"parley/media/vad/silero"
)

// weights is the file that set-up fetches.
const weights = "silero_vad_v6.onnx"

// newDetectors returns what makes a detector for each call, and what was chosen.
// The network's weights are loaded once.
func newDetectors(cfg Config) (func() conversation.Detector, choice, error) {
	model, chosen, err := chooseDetector(cfg)
	if err != nil {
		return nil, chosen, err
	}
	score := func() vad.Scorer { return energy.New() }
	if model != nil {
		score = func() vad.Scorer { return model.NewScorer() }
	}
	return func() conversation.Detector { return vad.NewSegmenter(cfg.detector(), score()) }, chosen, nil
}

// chooseDetector returns the network, or nil where energy is to do.
func chooseDetector(cfg Config) (*silero.Model, choice, error) {
	if cfg.VAD.Engine == "energy" {
		return nil, choice{engine: "energy", why: "vad.engine says so"}, nil
	}
	model, why := loadSilero(cfg)
	switch {
	case model != nil:
		return model, choice{engine: "silero", why: "its weights are there"}, nil
	case cfg.VAD.Engine == "silero":
		return nil, choice{engine: "silero", why: "vad.engine says so"}, fmt.Errorf("vad.engine is silero, which cannot start: %s", why)
	}
	return nil, choice{
		engine: "energy", why: "Silero cannot start: " + why,
		lack: "speech is told from noise by its energy alone",
		fix:  "run scripts/setup.sh, or set models to the directory that has " + weights, fallback: true,
	}, nil
}

// loadSilero returns the network, or why there is none.
func loadSilero(cfg Config) (*silero.Model, string) {
	path := cfg.findModel(weights)
	if path == "" {
		return nil, "the weights " + weights + " are nowhere to be found"
	}
	model, err := silero.Load(path)
	if err != nil {
		return nil, "the weights " + path + " cannot be read: " + reason(err)
	}
	return model, ""
}
