package conversation

import "strings"

func speakableText(s string) string { return strings.TrimSpace(s) }
