package main

import (
	"fmt"
	"strings"
)

// silence is what ends a turn, for parley and for the echo.
const silenceMS = 200

// serverConfig is how parley is set up for a measurement.
type serverConfig struct {
	listen string
	data   string   // a directory of its own
	vad    string   // "silero", "energy"
	reply  []string // what the scripted model says, in turn
}

// yaml is the configuration file: scripted engines that take no time, and the
// defaults of a local server for everything else, its database included.
func (c serverConfig) yaml() string {
	return fmt.Sprintf(`listen: %q
data: %q
log: {level: warn, format: text}
signaling: {max_calls: 1000}
media: {udp_address: "127.0.0.1:0", tcp_address: ""}
session: {silence: %dms}
vad: {engine: %s}
stt: {engine: scripted, scripted: {transcripts: ["how old is the brooklyn bridge"]}}
llm: {engine: scripted, scripted: {replies: [%s]}}
tts: {engine: scripted, scripted: {rate: 16000}}
`, c.listen, c.data, silenceMS, c.vad, quoted(c.reply))
}

func quoted(words []string) string {
	var q []string
	for _, w := range words {
		q = append(q, fmt.Sprintf("%q", w))
	}
	return strings.Join(q, ", ")
}

const (
	shortReply = "Very old."                                                                                        // 0.4 s
	longReply  = "It was opened in the year eighteen hundred and eighty three and has been in use ever since then." // 3.8 s
)
