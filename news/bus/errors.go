package bus

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	// ErrFull says that a stream, its disk or the outbox takes no more. It is
	// back-pressure: slow down and publish the same message again later. A
	// handler may return it; the bus then calls it again with the same message
	// without counting a failed try.
	ErrFull = errors.New("full")
	// ErrTooLarge says that a message is larger than its stream takes. Trying
	// again does not help.
	ErrTooLarge = errors.New("message too large")
	// ErrAhead says that Read was asked to begin after the end of the stream:
	// the reader has seen messages that this stream never had.
	ErrAhead = errors.New("reader is ahead of the stream")
)

// Error is a failure that the operator can mend.
type Error struct {
	Op   string // what was being done
	Err  error
	hint string
}

// Error returns what failed, why, and what to do.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v (%s)", e.Op, e.Err, e.hint)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns what to do about it.
func (e *Error) Hint() string { return e.hint }

func hint(op string, err error, format string, args ...any) error {
	return &Error{Op: op, Err: err, hint: fmt.Sprintf(format, args...)}
}

// hintOf returns the hint of the first error in err's tree that has one.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks err as one that no further try can mend: Consume puts the
// message into QUARANTINE at once. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err is marked by Permanent or is ErrTooLarge.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p) || errors.Is(err, ErrTooLarge)
}

type retryError struct {
	err   error
	after time.Duration
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryAfter asks Consume for the next try after d instead of the usual delay.
// It counts as a failed try. RetryAfter(d, nil) is nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryError{err, d}
}

// JetStream error codes that nats.go has no names for.
const (
	codeAccountResources jetstream.ErrorCode = 10002
	codeNoPeers          jetstream.ErrorCode = 10005 // also while a cluster starts
	codeNoResources      jetstream.ErrorCode = 10023
	codeStorageExceeded  jetstream.ErrorCode = 10047
	codeStreamCreate     jetstream.ErrorCode = 10049 // the server's store directory, in a race or for good
	codeStoreFailed      jetstream.ErrorCode = 10077 // a limit reached, or a write error
)

// classify turns the error of one publish into ErrFull, ErrTooLarge or a
// Permanent error; what it returns as it was is worth another try.
func classify(stream string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
		return fmt.Errorf("stream %s: %w: %w", stream, ErrTooLarge, err)
	}
	for _, e := range []error{nats.ErrBadSubject, nats.ErrHeadersNotSupported, nats.ErrBadHeaderMsg} {
		if errors.Is(err, e) {
			return Permanent(err)
		}
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode {
	case codeStoreFailed, codeStorageExceeded, codeNoResources, codeAccountResources:
		return fmt.Errorf("stream %s is %w: %s", stream, ErrFull, api.Description)
	}
	switch api.Code {
	case 408, 409, 429: // timeout; the same ID is just being stored; too many requests
		return err
	}
	if api.Code >= 400 && api.Code < 500 {
		return Permanent(err)
	}
	return err
}
