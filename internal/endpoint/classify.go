package endpoint

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	openai "github.com/sashabaranov/go-openai"

	"parley/internal/fault"
)

// Classify turns an error of a Client into a *fault.Error at op ("llm/openai:
// reply"), whose message holds neither a key nor anything of what was sent or
// received. nil stays nil, and a *fault.Error stays as it is.
func Classify(op string, err error) error {
	if err == nil {
		return nil
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	out := fault.New(fault.Failed, op, nil)
	var status *StatusError
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &status):
		out.Kind, out.RetryAfter, out.Err = statusKind(status), status.RetryAfter, status
	case errors.As(err, &api):
		s := &StatusError{Status: api.HTTPStatusCode, Code: safeCode(api.Code, api.Type)}
		out.Kind, out.Err = statusKind(s), s
		if s.Status == 0 { // an error object in the middle of a stream
			out.Err = fmt.Errorf("the server broke off with an error (code %q)", s.Code)
		}
	case errors.As(err, &req):
		s := &StatusError{Status: req.HTTPStatusCode}
		out.Kind, out.Err = statusKind(s), s
	default:
		out.Kind, out.Err = networkKind(err)
	}
	return out
}

func statusKind(s *StatusError) fault.Kind {
	switch {
	case s.ContentType == "text/html":
		return fault.Misconfigured // a web page: the base URL is not that of an API
	case s.Status == http.StatusUnauthorized, s.Status == http.StatusForbidden,
		s.Code == "invalid_api_key":
		return fault.Unauthorized
	case s.Status == http.StatusTooManyRequests,
		strings.HasPrefix(s.Code, "rate_limit"), s.Code == "insufficient_quota":
		return fault.RateLimited
	case s.Status == http.StatusNotFound, s.Status == http.StatusMethodNotAllowed,
		s.Status == http.StatusGone, s.Code == "model_not_found":
		return fault.Misconfigured
	case s.Status == http.StatusRequestTimeout:
		return fault.Stalled
	case s.Status == http.StatusBadRequest, s.Status == http.StatusRequestEntityTooLarge,
		s.Status == http.StatusUnsupportedMediaType, s.Status == http.StatusUnprocessableEntity:
		return fault.BadInput
	default:
		return fault.Failed
	}
}

// networkKind judges an error that came without an answer. Timeouts to connect
// count as Unreachable, later ones as Stalled.
func networkKind(err error) (fault.Kind, error) {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // drops the URL
	}
	var op *net.OpError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.Is(err, ErrSilent):
		return fault.Stalled, ErrSilent
	case errors.Is(err, context.Canceled):
		return fault.Canceled, context.Canceled
	case errors.Is(err, errRedirect):
		return fault.Misconfigured, errRedirect
	case errors.Is(err, errTooLong):
		return fault.Failed, errTooLong
	case errors.As(err, &certificate):
		return fault.Misconfigured, errors.New("the server's certificate is not trusted")
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fault.Misconfigured, errors.New("the server does not speak TLS; use http:// in base_url")
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return fault.Unreachable, err // names and addresses only
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Stalled, errors.New("no answer in time")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Unreachable, syscall.ECONNREFUSED
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.As(err, &op):
		return fault.Unreachable, errors.New("the connection broke")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Unreachable, errors.New("the server closed the connection early")
	}
	return contentKind(err)
}

// contentKind judges what is left: answers that cannot be read. Their text may
// repeat the content, so only its sort is told.
func contentKind(err error) (fault.Kind, error) {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax), errors.As(err, &mismatch):
		return fault.Failed, errors.New("the answer is not the expected JSON")
	case errors.Is(err, openai.ErrTooManyEmptyStreamMessages):
		return fault.Failed, errors.New("the stream holds no data")
	case errors.Is(err, openai.ErrChatCompletionInvalidModel):
		return fault.Misconfigured, errors.New("the model is not one for chat")
	default:
		return fault.Failed, fmt.Errorf("the request failed (%T)", err)
	}
}
