package fetch

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// acceptEncoding is what we ask for; readBody can take all of it apart.
const acceptEncoding = "gzip, br, zstd"

// maxEncodings bounds how often a body may be compressed on top of itself.
const maxEncodings = 2

// ratioSlack is how much a body may hold before its ratio is looked at: small
// pages of one repeated line are not bombs.
const ratioSlack = 256 << 10

// gzipMagic begins each gzip file.
var gzipMagic = []byte{0x1f, 0x8b}

var errUnexpectedEOF = io.ErrUnexpectedEOF

// limits bound a body.
type limits struct {
	wire    int64 // compressed bytes
	decoded int64
	ratio   int64 // decoded / compressed
	// truncate cuts a body that is too large instead of refusing it.
	truncate bool
}

// readBody reads body and undoes encoding, a Content-Encoding header. It returns
// the bytes and how many came over the wire. Errors are *Error without URL.
func readBody(body io.Reader, encoding string, lim limits) (decoded []byte, wire int64, err error) {
	counter := &countingReader{r: io.LimitReader(body, lim.wire+1)}
	r, closers, err := decompress(counter, encoding)
	defer func() {
		for _, c := range closers {
			c()
		}
	}()
	if err != nil {
		return nil, counter.n, err
	}
	var buf bytes.Buffer
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		buf.Write(chunk[:n])
		switch size := int64(buf.Len()); {
		case size > lim.decoded && lim.truncate:
			return buf.Bytes()[:lim.decoded], counter.n, nil
		case counter.n > lim.wire, size > lim.decoded:
			return nil, counter.n, &Error{
				Kind: KindTooLarge,
				Err:  fmt.Errorf("the body is larger than %s", formatBytes(lim.decoded)),
				Hint: "raise max_body_bytes for this source if the page is meant",
			}
		case size > ratioSlack && size > lim.ratio*counter.n:
			return nil, counter.n, &Error{
				Kind: KindBomb,
				Err:  fmt.Errorf("%s unpack to more than %d times as much", formatBytes(counter.n), lim.ratio),
				Hint: "this looks like a compression bomb; disable the source if it goes on",
			}
		}
		if err == io.EOF {
			return buf.Bytes(), counter.n, nil
		}
		if err != nil {
			if counter.err != nil {
				return nil, counter.n, counter.err // of the connection
			}
			if errors.Is(err, io.ErrUnexpectedEOF) && encoding != "" {
				return nil, counter.n, &Error{
					Kind: KindCut, Err: errors.New("the compressed body ends too early"),
					Hint: "the connection broke within the answer", Temporary: true,
				}
			}
			return nil, counter.n, &Error{
				Kind: KindEncoding, Err: fmt.Errorf("broken %s body: %w", encoding, err),
				Hint: "the server sends a body that does not unpack", Temporary: true,
			}
		}
	}
}

// decompress wraps r so that it yields what encoding was applied to.
func decompress(r io.Reader, encoding string) (io.Reader, []func(), error) {
	var names []string
	for name := range strings.SplitSeq(encoding, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		switch name {
		case "", "identity", "none", "utf-8", "binary": // the latter are common mistakes
		default:
			names = append(names, name)
		}
	}
	if len(names) > maxEncodings {
		return nil, nil, &Error{
			Kind: KindEncoding, Err: fmt.Errorf("the body is compressed %d times over", len(names)),
			Hint: "no honest server does that; disable the source if it goes on",
		}
	}
	var closers []func()
	for i := len(names) - 1; i >= 0; i-- {
		buffered := bufio.NewReader(r)
		head, err := buffered.Peek(2)
		if err == io.EOF && len(head) == 0 {
			return buffered, closers, nil // an empty body is not compressed
		}
		switch names[i] {
		case "gzip", "x-gzip":
			if !bytes.Equal(head, gzipMagic) {
				r = buffered // says gzip, is not
				continue
			}
			z, err := gzip.NewReader(buffered)
			if err != nil {
				return nil, closers, broken("gzip", err)
			}
			r = z
		case "br":
			r = brotli.NewReader(buffered)
		case "zstd":
			z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
			if err != nil {
				return nil, closers, broken("zstd", err)
			}
			closers = append(closers, z.Close)
			r = z
		case "deflate":
			// The header is zlib's by the standard, and missing in practice.
			if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
				z, err := zlib.NewReader(buffered)
				if err != nil {
					return nil, closers, broken("deflate", err)
				}
				r = z
			} else {
				r = flate.NewReader(buffered)
			}
		default:
			return nil, closers, &Error{
				Kind: KindEncoding, Err: fmt.Errorf("the body is encoded as %q", names[i]),
				Hint: "we asked for gzip, br or zstd; the publisher's server must be mended",
			}
		}
	}
	return r, closers, nil
}

func broken(name string, err error) *Error {
	return &Error{
		Kind: KindEncoding, Err: fmt.Errorf("broken %s body: %w", name, err),
		Hint: "the server sends a body that does not unpack", Temporary: true,
	}
}

// countingReader counts what is read and keeps the error that was not EOF.
type countingReader struct {
	r   io.Reader
	n   int64
	err error
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

func formatBytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.3g MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.3g KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
