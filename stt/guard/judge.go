package guard

import (
	"strings"
	"unicode"
)

// Reasons for emptying a final; also the values of the log's "reason".
const (
	tooShort = "too little speech"
	invented = "a phrase recognisers invent, on faint or brief sound"
	tooFast  = "more words than anybody can say in the time"
	circling = "one phrase over and over, on faint sound or too fast"
)

// judge returns why text cannot have been said in what was heard, or "".
func (g *Guard) judge(text string, h Heard) string {
	said := normal(text)
	words := strings.Fields(said)
	faint := h.Peak < g.cfg.FaintLevel
	rate := float64(len(words)) / max(h.Voice.Seconds(), 0.01)
	fast := g.cfg.MaxWordsPerSecond > 0 && len(words) > 4 && rate > g.cfg.MaxWordsPerSecond
	switch {
	case h.Voice < g.cfg.MinVoice:
		return tooShort
	case (faint || h.Sure < g.cfg.BriefVoice) && g.phrases[said]:
		return invented
	case circles(words) && (faint || fast):
		return circling
	case fast:
		return tooFast
	}
	return ""
}

// circles reports whether one phrase of up to eight words, said at least four
// times in a row, makes up nearly all of words.
func circles(words []string) bool {
	const least, longest = 4, 8
	for size := 1; size <= longest && size*least <= len(words); size++ {
		run := 1 // times in a row
		for i := size; i+size <= len(words); i += size {
			if !equal(words[i:i+size], words[i-size:i]) {
				run = 1
				continue
			}
			run++
			if run >= least && run*size*5 >= len(words)*4 {
				return true
			}
		}
	}
	return false
}

func equal(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// normal lowers the case and leaves letters, digits and single spaces. An
// apostrophe inside a word vanishes: "That's" and "thats" are one.
func normal(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		case r == '\'' || r == '’':
		default:
			gap = true
		}
	}
	return b.String()
}

// Phrases are what Whisper and its kin write on silence, as their users report
// it: the small talk and the credits of the subtitles they were trained on.
func Phrases() []string {
	return []string{
		"thank you", "thank you very much", "thank you so much", "thanks", "thank you bye",
		"thanks for watching", "thank you for watching", "thank you so much for watching",
		"thanks for watching bye", "thank you for your attention", "thanks for listening",
		"please subscribe", "please subscribe to my channel", "like and subscribe",
		"please like and subscribe", "dont forget to like and subscribe",
		"see you", "see you next time", "see you in the next video", "ill see you next time",
		"bye", "bye bye", "you", "the", "so", "hmm", "uh", "um", "mm", "i",
		"the end", "silence", "music", "applause", "blank audio", "no speech",
		"subtitles by the amara org community", "subtitles by", "transcription by castingwords",
		"untertitel der amara org community", "untertitelung des zdf 2020", "vielen dank",
		"vielen dank fürs zuschauen", "sous titres réalisés par la communauté d amara org",
		"sous titres réalisés para la communauté d amara org", "merci d avoir regardé cette vidéo",
		"subtítulos realizados por la comunidad de amara org", "gracias por ver el video",
		"ご視聴ありがとうございました", "字幕由amara org社区提供", "谢谢大家", "시청해주셔서 감사합니다",
		"продолжение следует", "спасибо за просмотр",
	}
}
