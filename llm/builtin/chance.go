package builtin

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
)

// chance flips coins, rolls dice and picks numbers. The same prompt has the
// same luck; the clock and the length of the call make it change.
func chance(q query) (answer, bool) {
	luck := rand.New(rand.NewPCG(q.seed(), 1)) //nolint:gosec // a game, not a secret
	switch {
	case q.is("flip a coin", "toss a coin", "heads or tails", "flip coin", "throw a coin", "coin flip", "coin toss",
		"flip the coin", "flip it again", "decide for me", "flip a coin again"):
		return say([]string{"Heads.", "Tails."}[luck.IntN(2)])
	case q.is("yes or no", "say yes or no", "should i or should i not"):
		return say([]string{"The coin says yes.", "The coin says no."}[luck.IntN(2)])
	case q.has("roll", "throw") && q.has("die", "dice", "dies", "dye", "d20", "d6", "d4", "d8", "d10",
		"d12"), q.is("roll a die", "roll the dice", "roll dice"):
		return say(rollDice(q.words, luck))
	}
	words, ok := after(q.core, "pick a number", "pick a random number", "choose a number", "give me a random number",
		"random number", "give me a number", "choose a random number",
		"think of a number", "a random number", "say a number", "generate a random number", "what is a random number")
	if !ok {
		return pass()
	}
	low, high := bounds(words)
	return say(fmt.Sprint(low+luck.Int64N(high-low+1), "."))
}

// rollDice rolls as many dice, of as many sides, as were named.
func rollDice(words []string, luck *rand.Rand) string {
	dice, sides := 1, 6
	for i, w := range words {
		if (w == "dice" || w == "die") && i > 0 {
			if v, n := operand(words[i-1:]); n == 1 && v.IsInt() {
				dice = int(v.Num().Int64())
			}
		}
		if rest, ok := strings.CutPrefix(w, "d"); ok {
			if v, ok := digits(rest); ok && v.IsInt() {
				sides = int(v.Num().Int64())
			}
		}
		if v, n := number(words[i:]); n > 0 && i+n < len(words) && strings.HasPrefix(words[i+n], "side") && v.IsInt() {
			sides = int(v.Num().Int64())
		}
	}
	dice, sides = min(max(dice, 1), 6), min(max(sides, 2), 1000)
	rolls := make([]string, dice)
	sum := 0
	for i := range rolls {
		r := 1 + luck.IntN(sides)
		sum += r
		rolls[i] = fmt.Sprint(r)
	}
	if dice == 1 {
		return "You rolled " + rolls[0] + "."
	}
	return fmt.Sprintf("You rolled %s, %d in all.", list(rolls), sum)
}

// bounds reads "between 5 and 20", "from one to ten", "up to 50"; 1 to 10
// where nothing is said.
func bounds(words []string) (low, high int64) {
	low, high = 1, 10
	var found []int64
	for i := 0; i < len(words); {
		v, n := number(words[i:])
		if n == 0 {
			i++
			continue
		}
		if v.IsInt() && new(big.Rat).Abs(v).Cmp(big.NewRat(1e15, 1)) <= 0 {
			found = append(found, v.Num().Int64())
		}
		i += n
	}
	switch {
	case len(found) >= 2:
		low, high = min(found[0], found[1]), max(found[0], found[1])
	case len(found) == 1 && found[0] > 1:
		high = found[0]
	}
	return low, high
}
