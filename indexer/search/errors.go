package search

import "errors"

var (
	// ErrNotFound says that no such article is in the index.
	ErrNotFound = errors.New("no such article in the index")
	// ErrUnavailable says that no index can answer now.
	ErrUnavailable = errors.New("search is unavailable")
)

// RequestError says which field of a Request is wrong and how to mend it.
type RequestError struct {
	// Field is the field's JSON name.
	Field   string `json:"field"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error returns field and message, and the hint if there is one.
func (e *RequestError) Error() string {
	s := e.Field + ": " + e.Message
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}
