package warc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

func record(kind, uri, block string) string {
	return fmt.Sprintf("WARC/1.1\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: 2026-03-01T08:00:00Z\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", kind, uri, len(block), block)
}

func TestReader(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprint(z, "<p>zipped</p>")
	z.Close()
	archive := record("warcinfo", "", "software: test") +
		record("request", "https://example.com/a", "GET /a HTTP/1.1\r\n\r\n") +
		record("response", "https://example.com/a", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>芯片</p>") +
		record("response", "https://example.com/b", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+zipped.String()) +
		record("response", "https://example.com/gone", "HTTP/1.1 404 Not Found\r\n\r\n") +
		record("response", "https://example.com/bad", "no response") +
		record("resource", "<https://example.com/c>", "<p>plain</p>")
	fetched := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	want := []*news.Page{
		{Version: 1, URL: "https://example.com/a", Status: 200, ContentType: "text/html", Fetched: fetched, Body: []byte("<p>芯片</p>")},
		{Version: 1, URL: "https://example.com/b", Status: 200, Fetched: fetched, Body: []byte("<p>zipped</p>")},
		{Version: 1, URL: "https://example.com/c", Status: 200, Fetched: fetched, Body: []byte("<p>plain</p>")},
	}
	var got []*news.Page
	faults := 0
	r := NewReader(bufio.NewReader(strings.NewReader(archive)))
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		page, ok, err := rec.Page()
		if err != nil {
			faults++
		}
		if ok {
			got = append(got, page)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if faults != 1 {
		t.Errorf("got %d faulty records, want 1", faults)
	}
}

func TestReaderSaysWhatIsWrong(t *testing.T) {
	for name, in := range map[string]string{
		"no-archive": "{\"text\":\"x\"}\n",
		"cut":        record("response", "https://example.com/a", "HTTP/1.1 200 OK\r\n\r\nbody")[:147],
		"length":     "WARC/1.0\r\nContent-Length: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewReader(bufio.NewReader(strings.NewReader(in))).Next(); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("got %v, want an error", err)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(record("response", "https://example.com/a", "HTTP/1.1 200 OK\r\n\r\nbody")))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bufio.NewReader(bytes.NewReader(data)))
		for {
			rec, err := r.Next()
			if err != nil {
				return
			}
			_, _, _ = rec.Page() // must not panic
		}
	})
}
