package query

import "fmt"

// SyntaxError says where and why a query cannot be understood.
type SyntaxError struct {
	// Column counts code points from 1; it is 0 where no place can be named.
	Column  int    `json:"column"`
	Message string `json:"message"`
	// Hint says how to mend it; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// Error returns column, message and hint in one line.
func (e *SyntaxError) Error() string {
	s := e.Message
	if e.Column > 0 {
		s = fmt.Sprintf("column %d: %s", e.Column, s)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}
