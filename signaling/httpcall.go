package signaling

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"parley/conversation"
	"parley/signaling/realtime"
)

// callsPath is where calls are made over HTTP.
const callsPath = "/v1/realtime/calls"

// maxBody bounds a request: an offer, a session, and what holds them together.
const maxBody = 2*MaxMessage + 8<<10

// serveRealtime routes what is under /v1/realtime/ and answers CORS.
func (s *Server) serveRealtime(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		s.refuse(w, shuttingDown())
		return
	}
	defer s.work.Done()
	if p := s.checkOrigin(r); p != nil {
		s.refuse(w, p)
		return
	}
	allowCORS(w, r)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	p := s.checkKey(r)
	if p == nil {
		p = s.routeCall(w, r)
	}
	if p != nil {
		s.refuse(w, p)
	}
}

// routeCall picks the handler of a request under /v1/realtime/.
func (s *Server) routeCall(w http.ResponseWriter, r *http.Request) *problem {
	wrongMethod := func(allow string) *problem {
		w.Header().Set("Allow", allow+", OPTIONS")
		return &problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "Use " + allow + " here."}
	}
	if r.URL.Path == callsPath {
		if r.Method != http.MethodPost {
			return wrongMethod(http.MethodPost)
		}
		return s.createCall(w, r)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, callsPath+"/")
	id, action, _ := strings.Cut(rest, "/")
	switch {
	case !ok || id == "" || action != "" && action != "hangup":
		return &problem{status: http.StatusNotFound, code: "not_found", message: "There is nothing here; calls are made with POST " + callsPath + "."}
	case action == "hangup" && r.Method != http.MethodPost:
		return wrongMethod(http.MethodPost)
	case action == "" && r.Method != http.MethodDelete:
		return wrongMethod(http.MethodDelete)
	}
	c := s.find(id)
	if c == nil {
		return &problem{status: http.StatusNotFound, code: "call_not_found", message: "There is no such call; it may have ended."}
	}
	c.stop("hang_up")
	select {
	case <-c.done:
	case <-r.Context().Done():
	}
	if action == "hangup" {
		w.WriteHeader(http.StatusOK)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// allowCORS lets the page of an allowed origin read the answer; the origin was
// checked before.
func allowCORS(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Location, Retry-After")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "POST, DELETE, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-OpenAI-Agents-SDK, OpenAI-Beta")
		h.Set("Access-Control-Max-Age", "600")
	}
}

// createCall answers an offer with a call of its own.
func (s *Server) createCall(w http.ResponseWriter, r *http.Request) *problem {
	if !s.clients.join(s.clientIP(r), now()) {
		return tooManyJoins()
	}
	sdp, patch, p := readOffer(w, r)
	if p == nil {
		p = checkOffer(sdp)
	}
	if p != nil {
		return p
	}
	c, p := s.open(cut(r.UserAgent(), 64), patch)
	if p != nil {
		return p
	}
	answer, p := c.answerOnce(r.Context(), sdp)
	if p != nil {
		c.stop("failed")
		return p
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", callsPath+"/"+c.id)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // a client that has gone will not connect, and the call ends
	return nil
}

// readOffer reads the body: SDP, or a form of sdp and session.
func readOffer(w http.ResponseWriter, r *http.Request) (string, conversation.SessionPatch, *problem) {
	var none conversation.SessionPatch
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := http.MaxBytesReader(w, r.Body, maxBody)
	switch {
	case err == nil && kind == "application/sdp":
		sdp, p := readPart(body)
		return sdp, none, p
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		return readForm(multipart.NewReader(body, params["boundary"]))
	}
	return "", none, &problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
		message: "Send the offer as application/sdp, or as multipart/form-data with the parts sdp and session."}
}

func readForm(form *multipart.Reader) (string, conversation.SessionPatch, *problem) {
	var sdp string
	var patch conversation.SessionPatch
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return sdp, patch, nil
		}
		if err != nil {
			return "", patch, bodyProblem(err)
		}
		text, p := readPart(part)
		switch {
		case p != nil:
			return "", patch, p
		case part.FormName() == "sdp":
			sdp = text
		case part.FormName() == "session" && text != "":
			if patch, err = realtime.DecodeSession(json.RawMessage(text)); err != nil {
				return "", patch, sessionProblem(err)
			}
		}
	}
}

// readPart reads a body, or a part of one, of at most MaxMessage bytes.
func readPart(r io.Reader) (string, *problem) {
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	if err != nil {
		return "", bodyProblem(err)
	}
	if len(data) > MaxMessage {
		return "", tooLarge()
	}
	return string(data), nil
}

func tooLarge() *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, code: "too_large", message: "The body is larger than 64 KB."}
}

func bodyProblem(err error) *problem {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return tooLarge()
	}
	return &problem{status: http.StatusBadRequest, code: "invalid_body", message: "The body could not be read to its end."}
}
