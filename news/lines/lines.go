// Package lines reads text line by line, as JSONL is read, however long its lines
// are.
package lines

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// ErrTooLong says that a line was longer than a reader takes. The next one can be
// read.
var ErrTooLong = errors.New("the line is too long")

// Reader reads lines of bounded length.
type Reader struct {
	r   *bufio.Reader
	max int
	n   int
	buf []byte
}

// NewReader returns a reader of lines of at most limit bytes, without their ends.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 256<<10), max: limit}
}

// N returns the number of the line that was read last, from 1.
func (l *Reader) N() int { return l.n }

// Next returns the next line without its end, valid until the next call; a byte
// order mark before the first line is left out. Its error is io.EOF after the last
// line and ErrTooLong for a line that is passed over. At any other error what was
// read of the line is dropped.
func (l *Reader) Next() ([]byte, error) {
	l.buf = l.buf[:0]
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		if len(part) > 0 && !tooLong {
			if tooLong = len(l.buf)+len(bytes.TrimSuffix(part, []byte("\n"))) > l.max; !tooLong {
				l.buf = append(l.buf, part...)
			}
		}
		switch {
		case err == nil || errors.Is(err, io.EOF) && (len(l.buf) > 0 || tooLong):
			l.n++
			if tooLong {
				return nil, ErrTooLong
			}
			line := bytes.TrimRight(l.buf, "\r\n")
			if l.n == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
