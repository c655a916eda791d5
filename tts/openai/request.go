package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	api "github.com/sashabaranov/go-openai"

	"parley/audio"
	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/tts/internal/pcmstream"
	"parley/tts/internal/perclause"
)

const op = "tts/openai: speak"

// firstRead bounds what is looked at to tell what an answer is.
const firstRead = 4096

// attemptAt is one request for one clause.
type attemptAt struct {
	*reply
	before  <-chan struct{}
	clause  string
	emit    perclause.Emit
	sounded bool
}

// answer is the response as it begins.
type answer struct {
	body   io.ReadCloser
	header http.Header
	begun  []byte // of the body, already read
	err    error
}

func (a *attemptAt) run(ctx context.Context) error {
	ctx, dog := endpoint.NewWatchdog(ctx)
	defer dog.Stop()
	ans := a.await(ctx, dog)
	if ans.body != nil {
		defer func() { _ = ans.body.Close() }()
	}
	if ans.err != nil {
		return endpoint.Classify(op, dog.Err(ans.err))
	}
	if err := a.refuse(ans, dog); err != nil {
		return err
	}
	o := pcmstream.Options{Op: op, Rate: Rate, BareRate: a.bareRate(ans.header), Limit: pcmstream.Limit(a.clause)}
	rest := dog.Reader(ans.body, a.cfg.IdleTimeout, a.cfg.IdleTimeout)
	err := pcmstream.Copy(io.MultiReader(bytes.NewReader(ans.begun), rest), o, func(pcm []int16) error {
		a.sounded = true
		return a.emit(pcm)
	})
	return endpoint.Classify(op, err)
}

// await asks for the clause and waits for the first of its audio. A server that
// makes one clause at a time is not to blame for the clause before: the time it
// has starts when that one has been received.
func (a *attemptAt) await(ctx context.Context, dog *endpoint.Watchdog) answer {
	come := make(chan answer, 1)
	go func() { come <- a.ask(ctx) }() // ends with ctx; it is waited for below
	select {
	case ans := <-come:
		return ans
	case <-a.before:
	}
	dog.Arm(a.cfg.FirstByteTimeout)
	defer dog.Disarm()
	return <-come
}

// ask sends the request and reads the beginning of the answer's body.
func (a *attemptAt) ask(ctx context.Context) answer {
	res, err := a.client.CreateSpeech(ctx, api.CreateSpeechRequest{
		Model: api.SpeechModel(a.cfg.Model), Voice: api.SpeechVoice(a.cfg.Voice), Input: a.clause,
		ResponseFormat: api.SpeechResponseFormat(a.cfg.Format), Speed: speedOf(a.cfg.Speed), Instructions: a.cfg.Instructions,
	})
	if err != nil {
		return answer{err: err}
	}
	in := bufio.NewReaderSize(res.ReadCloser, firstRead)
	_, err = in.Peek(1)
	begun, _ := in.Peek(in.Buffered())
	if len(begun) > 0 || err == io.EOF {
		err = nil // an error is met again, an empty body is judged as such
	}
	return answer{body: res.ReadCloser, header: res.Header(), begun: begun, err: err}
}

// speedOf leaves the usual speed out of the request: not every server knows it.
func speedOf(speed float64) float64 {
	if speed == 1 {
		return 0
	}
	return speed
}

// refuse tells answers with a good status that are no audio in a known format.
func (a *attemptAt) refuse(ans answer, dog *endpoint.Watchdog) error {
	kind, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type"))
	begin := bytes.TrimLeft(ans.begun, " \r\n\t")
	switch {
	case strings.HasSuffix(kind, "json") || bytes.HasPrefix(begin, []byte(`{"`)):
		rest := dog.Reader(ans.body, a.cfg.IdleTimeout, a.cfg.IdleTimeout)
		return jsonFault(io.MultiReader(bytes.NewReader(ans.begun), rest))
	case strings.HasPrefix(kind, "text/"):
		return fault.Newf(fault.Misconfigured, op, "the server answers with %s instead of audio", kind)
	case kind == "audio/mpeg" || kind == "audio/mp3" || kind == "audio/ogg" || kind == "audio/opus" || kind == "audio/flac" || kind == "audio/aac":
		if len(ans.begun) > 0 && bytes.HasPrefix([]byte("RIFF"), ans.begun[:min(4, len(ans.begun))]) {
			return nil // it says one thing and does the right one
		}
		return fault.Newf(fault.Misconfigured, op, "the server sends %s though %s was asked for; set tts.openai.format to what it can", kind, a.cfg.Format)
	}
	return nil
}

// jsonFault makes a fault of an error object that came with a good status.
func jsonFault(body io.Reader) error {
	var object struct {
		Error json.RawMessage `json:"error"`
	}
	var detail struct {
		Code any    `json:"code"`
		Type string `json:"type"`
	}
	data, _ := io.ReadAll(io.LimitReader(body, 64<<10))
	if json.Unmarshal(bytes.TrimSpace(data), &object) == nil {
		_ = json.Unmarshal(object.Error, &detail)
	}
	if detail.Code == nil && detail.Type == "" {
		return fault.Newf(fault.Failed, op, "the server answers with JSON instead of audio")
	}
	return endpoint.Classify(op, &api.APIError{HTTPStatusCode: http.StatusOK, Code: detail.Code, Type: detail.Type})
}

// bareRate is the rate of audio without a header: what its type says ("audio/pcm;
// rate=16000"), else what is configured.
func (a *attemptAt) bareRate(h http.Header) int {
	_, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if rate, convErr := strconv.Atoi(params["rate"]); err == nil && convErr == nil && rate >= audio.MinRate && rate <= audio.MaxRate {
		return rate
	}
	return a.cfg.PCMRate
}

// trimmed is the clause as it is sent; "" where nothing in it can be said, which
// servers answer with an error.
func trimmed(clause string) string {
	clause = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, clause), " ")
	if !strings.ContainsFunc(clause, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return ""
	}
	return strings.TrimSpace(clause)
}
