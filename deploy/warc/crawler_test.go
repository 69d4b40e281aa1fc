package warc_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	crawl "xinwen/crawler/warc"
	"xinwen/deploy/warc"
)

// TestReaderReadsTheCrawlersArchives writes an archive as the crawler does.
func TestReaderReadsTheCrawlersArchives(t *testing.T) {
	dir := t.TempDir()
	w, err := crawl.New(crawl.Config{Dir: dir}, "Xinwen/test")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 11, 17, 8, 30, 0, 0, time.UTC)
	for _, u := range []string{"https://news.example/1", "https://news.example/2"} {
		err := w.Write(crawl.Response{
			URL: u, Time: at, Status: 200, Body: []byte("<p>晶圆 " + u),
			Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Encoding": {"gzip"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.warc.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r := warc.NewReader(bufio.NewReader(z))
	var urls []string
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p, ok, err := rec.Page()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		urls = append(urls, p.URL)
		if !p.Fetched.Equal(at) || p.ContentType != "text/html; charset=utf-8" || string(p.Body) != "<p>晶圆 "+p.URL {
			t.Errorf("got %+v", p)
		}
	}
	if len(urls) != 2 {
		t.Errorf("got %v", urls)
	}
}
