package conversation

import "parley/internal/fault"

// What a caller is told when something does not work. Plain words, what to do,
// and nothing about machinery they cannot see.
const (
	sayAgain      = "Sorry, I did not catch that."
	lostThread    = "Sorry, I lost my thread there. Please ask me again."
	timerDone     = "Your timer is done."
	timerDoneWith = "Your %s timer is done."
)

// apology is the sentence a caller hears, or where there is no voice reads,
// when stage failed for a reason of the given kind.
func apology(stage Stage, kind fault.Kind) string {
	part := map[Stage]string{
		StageSTT: "the part of me that listens",
		StageLLM: "the part of me that thinks",
		StageTTS: "my voice",
	}[stage]
	switch kind {
	case fault.Unreachable:
		return "Sorry, I cannot reach " + part + " right now. Please try again in a moment."
	case fault.Unauthorized:
		return "Sorry, " + part + " was refused access. Whoever runs me should check its key."
	case fault.RateLimited, fault.Overloaded:
		return "Sorry, too many people are talking to me at once. Please try again in a moment."
	case fault.Stalled:
		return "Sorry, " + part + " took too long to answer. Please try again."
	case fault.Misconfigured:
		return "Sorry, " + part + " is not set up properly. Whoever runs me should check its settings."
	default:
		return "Sorry, something went wrong with " + part + ". Please try again."
	}
}
