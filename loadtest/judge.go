package loadtest

import (
	"strings"
	"time"
)

// verdict is how a turn stands.
type verdict struct {
	done     bool
	answered bool
	reason   string    // why not
	wake     time.Time // when to look again, if nothing happens before
}

// judge says how the turn stands at a moment. It holds the mutex.
func (c *Caller) judge(w watch, now time.Time) verdict {
	if s := c.answerOf(w); s != nil {
		return c.judgeAnswer(s, now)
	}
	if v := c.judgeText(now); v.done || !v.wake.IsZero() {
		return v
	}
	deadline := w.spoke.Add(c.o.AnswerTimeout)
	if !now.Before(deadline) {
		return verdict{done: true, reason: c.silentReason()}
	}
	wake := deadline
	if early := c.story.spokeBefore(w.spoke); early {
		wake = earlier(wake, w.spoke.Add(goOnGrace))
	}
	if end, over := c.story.overWithout(); over {
		at := end.at.Add(endGrace)
		if !now.Before(at) {
			return verdict{done: true, reason: c.silentReason()}
		}
		wake = earlier(wake, at)
	}
	if !wake.After(now) {
		wake = deadline
	}
	return verdict{wake: wake}
}

// judgeAnswer says whether the answer that is being heard is over.
func (c *Caller) judgeAnswer(s *spurt, now time.Time) verdict {
	done := verdict{done: true, answered: true}
	if !now.Before(s.first.Add(maxAnswer)) {
		return done
	}
	quiet := quietWithoutEvents
	if c.story.talks {
		quiet = quietWithEvents
	}
	over := c.ear.latest().Add(quiet)
	if r := c.story.latest(); r != nil && r.over.After(s.first) {
		over = earlier(over, r.over.Add(settle))
	}
	if now.Before(over) {
		return verdict{wake: earlier(over, s.first.Add(maxAnswer))}
	}
	if !c.story.talks || c.story.told(s.first) {
		return done
	}
	if grace := over.Add(endGrace); now.Before(grace) {
		return verdict{wake: grace}
	}
	return done
}

// judgeText says whether the turn was answered in writing only.
func (c *Caller) judgeText(now time.Time) verdict {
	r := c.story.latest()
	if r == nil || r.done.IsZero() || !r.started.IsZero() || r.words() == "" || r.status != "completed" {
		return verdict{}
	}
	if grace := r.done.Add(textGrace); now.Before(grace) {
		return verdict{wake: grace}
	}
	return verdict{done: true, answered: true}
}

// silentReason says why no answer was heard, from what the events told.
func (c *Caller) silentReason() string {
	s := &c.story
	within := " within " + c.o.AnswerTimeout.String() + "."
	switch r := s.latest(); {
	case len(s.notices) > 0:
		return strings.Join(s.notices, " ")
	case !s.talks:
		return "no sound came back" + within
	case r != nil && r.status == "failed":
		return "parley began an answer and failed."
	case r != nil && !r.started.IsZero():
		return "parley played an answer, but no sound of it arrived."
	case r != nil:
		return "parley began an answer, but nothing of it was heard" + within
	}
	if n := len(s.ends); n > 0 {
		switch s.ends[n-1].reason {
		case "no_speech":
			return "parley heard sound, but no words in it."
		case "too_short":
			return "parley heard too short a sound to be speech."
		}
	}
	switch {
	case s.transcript() != "":
		return "parley understood “" + s.transcript() + "”, but did not begin an answer" + within
	case s.listened:
		return "parley noticed speech, but understood no words" + within
	}
	return "parley did not notice any speech."
}

// failedReason says what parley apologised for.
func failedReason(t Turn) string {
	if len(t.Notices) > 0 {
		return strings.Join(t.Notices, " ")
	}
	return "parley says that the turn failed."
}

// spokeBefore says whether a reply began before a moment: it may turn out to be
// the answer.
func (s *story) spokeBefore(at time.Time) bool {
	r := s.latest()
	return r != nil && !r.started.IsZero() && r.started.Before(at)
}

// overWithout returns the latest turn's end where nothing has begun since that
// could still bring an answer.
func (s *story) overWithout() (turnEnd, bool) {
	if len(s.ends) == 0 {
		return turnEnd{}, false
	}
	end := s.ends[len(s.ends)-1]
	return end, end.reason != "turn_detected" && !s.active.After(end.at)
}

// told says whether a turn's end has come since a moment.
func (s *story) told(since time.Time) bool {
	for _, end := range s.ends {
		if end.at.After(since) {
			return true
		}
	}
	return false
}

// earlier is the earlier of two moments; the zero time counts as never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
