package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"xinwen/indexer/query"
)

// Subjects of the service. Rebuild is heard by every indexer, the others by
// one of them.
const (
	subjectPrefix  = "xinwen.search"
	subjectSearch  = subjectPrefix + ".query"
	subjectArticle = subjectPrefix + ".article"
	subjectStatus  = subjectPrefix + ".status"
	subjectCount   = subjectPrefix + ".count"
	subjectStory   = subjectPrefix + ".story"
	subjectSimilar = subjectPrefix + ".similar"
	subjectRebuild = subjectPrefix + ".rebuild"
)

// Headers of requests and replies.
const (
	headerTimeout  = "Xinwen-Timeout-Ms" // how long the client waits
	headerEncoding = "Content-Encoding"  // "zstd" or absent
)

// compressAbove is the size in bytes of a reply that is compressed; maxReply
// is that of the largest reply a client unpacks.
const (
	compressAbove = 32 << 10
	maxReply      = 64 << 20
)

// Codes of errors on the wire.
const (
	codeNotFound    = "not_found"
	codeUnavailable = "unavailable"
	codeSyntax      = "syntax"
	codeRequest     = "request"
	codeTooLarge    = "too_large"
	codeInternal    = "internal"
)

// wireError is an error as it travels.
type wireError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Field   string `json:"field,omitempty"`
	Column  int    `json:"column,omitempty"`
}

func toWire(err error) wireError {
	var syntax *query.SyntaxError
	var request *RequestError
	switch {
	case errors.As(err, &syntax):
		return wireError{Code: codeSyntax, Message: syntax.Message, Hint: syntax.Hint, Column: syntax.Column}
	case errors.As(err, &request):
		return wireError{Code: codeRequest, Message: request.Message, Hint: request.Hint, Field: request.Field}
	case errors.Is(err, ErrNotFound):
		return wireError{Code: codeNotFound, Message: err.Error()}
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return wireError{Code: codeUnavailable, Message: err.Error()}
	}
	return wireError{Code: codeInternal, Message: err.Error()}
}

func (e wireError) err() error {
	switch e.Code {
	case codeSyntax:
		return &query.SyntaxError{Column: e.Column, Message: e.Message, Hint: e.Hint}
	case codeRequest:
		return &RequestError{Field: e.Field, Message: e.Message, Hint: e.Hint}
	case codeTooLarge:
		return &RequestError{Field: "size", Message: e.Message, Hint: e.Hint}
	case codeNotFound:
		return ErrNotFound
	case codeUnavailable:
		return fmt.Errorf("%w: %s", ErrUnavailable, e.Message)
	}
	return fmt.Errorf("indexer: %s", e.Message)
}

// codecs are made once: both are safe for concurrent use of EncodeAll and
// DecodeAll.
var codecs = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	// The options are constants; an error would be one of this program.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxReply), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

// encode returns v as JSON, compressed where that pays, and the encoding.
func encode(v any) (data []byte, encoding string, err error) {
	data, err = json.Marshal(v)
	if err != nil || len(data) <= compressAbove {
		return data, "", err
	}
	enc, _ := codecs()
	return enc.EncodeAll(data, nil), "zstd", nil
}

func decode(data []byte, encoding string, v any) error {
	switch encoding {
	case "":
	case "zstd":
		_, dec := codecs()
		var err error
		if data, err = dec.DecodeAll(data, nil); err != nil {
			return fmt.Errorf("reply of the indexer: %w", err)
		}
	default:
		return fmt.Errorf("reply of the indexer: encoding %q is unknown; upgrade this program", encoding)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("reply of the indexer: %w", err)
	}
	return nil
}
