// Package warc reads web archives (ISO 28500, WARC 1.0 and 1.1): the pages in
// them go into the pipeline as if they had just been fetched.
//
// The reader takes records one after the other from an uncompressed stream; a
// file of one gzip or zstd member a record is such a stream once decompressed.
package warc

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"xinwen/news"
)

// MaxBodyBytes bounds the decoded body of one page.
const MaxBodyBytes = 10 << 20

// maxBlockBytes bounds a record that Next reads; larger ones are skipped over.
const maxBlockBytes = 64 << 20

// Record is one record of an archive.
type Record struct {
	// Header is the record's own header.
	Header textproto.MIMEHeader
	// Block is its content, nil if it is larger than can be a page.
	Block []byte
}

// Reader reads records.
type Reader struct{ r *bufio.Reader }

// NewReader returns a reader of the archive in r.
func NewReader(r *bufio.Reader) *Reader { return &Reader{r} }

// Next returns the next record, or io.EOF after the last.
func (r *Reader) Next() (*Record, error) {
	line := ""
	for line == "" {
		l, err := r.r.ReadString('\n')
		line = strings.TrimRight(l, "\r\n")
		if err != nil && line == "" {
			if errors.Is(err, io.EOF) {
				return nil, io.EOF
			}
			return nil, err
		}
	}
	if !strings.HasPrefix(line, "WARC/1.") {
		return nil, fmt.Errorf("not a WARC record: it begins with %.40q", line)
	}
	header, err := textproto.NewReader(r.r).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("header of a WARC record: %w", err)
	}
	length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	if err != nil || length < 0 {
		return nil, fmt.Errorf("WARC record %s has the Content-Length %q", header.Get("WARC-Record-ID"), header.Get("Content-Length"))
	}
	record := &Record{Header: header}
	if length > maxBlockBytes {
		_, err = io.CopyN(io.Discard, r.r, length)
	} else {
		record.Block = make([]byte, length)
		_, err = io.ReadFull(r.r, record.Block)
	}
	if err != nil {
		return nil, fmt.Errorf("WARC record %s is cut off: %w", header.Get("WARC-Record-ID"), err)
	}
	return record, nil
}

// Page returns the page of an HTTP response with status 200, and whether the
// record holds one. Errors concern this record alone.
func (r *Record) Page() (*news.Page, bool, error) {
	kind := r.Header.Get("WARC-Type")
	if kind != "response" && kind != "resource" {
		return nil, false, nil
	}
	target := strings.Trim(r.Header.Get("WARC-Target-URI"), "<>")
	if !strings.HasPrefix(target, "http") {
		return nil, false, nil
	}
	if r.Block == nil {
		return nil, false, fmt.Errorf("%s is larger than %d bytes", target, maxBlockBytes)
	}
	fetched, err := time.Parse(time.RFC3339, r.Header.Get("WARC-Date"))
	if err != nil {
		return nil, false, fmt.Errorf("%s: WARC-Date: %w", target, err)
	}
	page := &news.Page{Version: news.Version, URL: target, Fetched: fetched.UTC(), Status: http.StatusOK}
	if kind == "resource" {
		page.ContentType, page.Body = r.Header.Get("Content-Type"), r.Block
		return page, true, nil
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(r.Block)), nil)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", target, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, false, nil
	}
	page.ContentType = resp.Header.Get("Content-Type")
	page.Body, err = decode(resp)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", target, err)
	}
	return page, true, nil
}

// decode removes the content encoding of a body.
func decode(resp *http.Response) ([]byte, error) {
	var r io.Reader = resp.Body
	switch e := strings.ToLower(resp.Header.Get("Content-Encoding")); e {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	case "deflate":
		r = flate.NewReader(r)
	default:
		return nil, fmt.Errorf("content encoding %q is not read from archives", e)
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxBodyBytes+1))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if len(body) > MaxBodyBytes {
		return nil, fmt.Errorf("body is larger than %d bytes", MaxBodyBytes)
	}
	return body, nil
}
