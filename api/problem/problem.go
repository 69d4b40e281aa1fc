// Package problem is the form errors have in the HTTP API: RFC 9457 problem
// details. Of maps the errors of the packages below onto status and sentence;
// what it does not know becomes a 500 that tells nothing of the inside.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Problem is one error as an API client sees it.
type Problem struct {
	Type   string `json:"type,omitempty" format:"uri" default:"about:blank" doc:"A URI reference that names the kind of problem"`
	Title  string `json:"title" doc:"Short summary of the kind of problem"`
	Status int    `json:"status" doc:"HTTP status code"`
	Detail string `json:"detail,omitempty" doc:"What is wrong with this request"`
	Hint   string `json:"hint,omitempty" doc:"What to do about it"`
	// Column is where in the query the error is, in code points from 1.
	Column int `json:"column,omitempty" doc:"Where in the query the error is, in code points from 1"`
	// Errors are the single faults, if there are several.
	Errors []Fault `json:"errors,omitempty" doc:"The single faults"`

	cause error
}

// Fault is one of several faults in a request.
type Fault struct {
	Message  string `json:"message" doc:"What is wrong"`
	Location string `json:"location,omitempty" doc:"Where, such as query.size"`
	Column   int    `json:"column,omitempty" doc:"Where in the query, in code points from 1"`
	Hint     string `json:"hint,omitempty" doc:"What to do about it"`
}

// Error returns the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// Unwrap returns the error that the problem was made from; it is for the log
// and never sent.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus returns the HTTP status; huma looks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType turns JSON into problem JSON; huma looks for it.
func (p *Problem) ContentType(string) string { return ContentType }

// New returns a problem with the title that belongs to status.
func New(status int, detail, hint string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail, Hint: hint}
}

// Sentence returns the message of err as a sentence.
func Sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// Of returns err as a problem.
func Of(err error) *Problem {
	var (
		p       *Problem
		syntax  *query.SyntaxError
		request *search.RequestError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &syntax):
		p = New(http.StatusBadRequest, syntax.Message, syntax.Hint)
		p.Title, p.Column = "Query syntax error", syntax.Column
		p.Errors = []Fault{{Message: syntax.Message, Location: "query.q"}}
	case errors.As(err, &request):
		p = New(http.StatusBadRequest, request.Field+": "+request.Message, request.Hint)
		p.Errors = []Fault{{Message: request.Message, Location: "query." + request.Field}}
	case errors.Is(err, search.ErrNotFound):
		p = New(http.StatusNotFound, "There is no such article in the index.", "Search for it, or look into /v1/quarantine if it should be there.")
	case errors.Is(err, search.ErrUnavailable):
		p = New(http.StatusServiceUnavailable, "The index cannot answer now.", "Try again in a moment; /readyz says what is missing.")
	case errors.Is(err, bus.ErrFull):
		p = New(http.StatusServiceUnavailable, "The stream is full and takes nothing more now.", "Wait until the pipeline has worked off its backlog, or raise the stream's limit.")
	case errors.Is(err, context.DeadlineExceeded):
		p = New(http.StatusGatewayTimeout, "The answer took too long.", "Try again, or ask for less.")
	case errors.Is(err, context.Canceled):
		p = New(http.StatusServiceUnavailable, "The request was cut off.", "")
	case bus.IsAway(err):
		p = New(http.StatusServiceUnavailable, "The message server (NATS) cannot be reached now.", "Try again in a moment; /readyz says what is missing.")
	default:
		p = New(http.StatusInternalServerError, "Something went wrong inside.", "The log of the api says what.")
	}
	p.cause = err
	return p
}

// Write answers with p.
func Write(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone
}
