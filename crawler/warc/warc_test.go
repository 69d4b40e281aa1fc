package warc_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"xinwen/crawler/warc"
)

func response(i int) warc.Response {
	return warc.Response{
		URL: "https://news.example/" + strconv.Itoa(i), Time: time.Date(2025, 11, 17, 8, 30, i, 0, time.UTC), Status: 200,
		Header: http.Header{"Content-Type": {"text/html; charset=gbk"}, "Content-Encoding": {"br"}, "Content-Length": {"3"}, "X-Odd": {"a\r\nb"}},
		Body:   []byte(strings.Repeat("晶圆 "+strconv.Itoa(i)+" ", 100)),
	}
}

// read returns the target and body of each response in a file.
func read(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var plain io.Reader
	if strings.HasSuffix(name, ".gz") {
		plain, err = gzip.NewReader(bytes.NewReader(data))
	} else {
		plain, err = zstd.NewReader(bytes.NewReader(data))
	}
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(plain)
	all := make(map[string]string)
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return all
		}
		if err != nil || line != "WARC/1.1\r\n" {
			t.Fatalf("%s: a record begins with %q, %v", name, line, err)
		}
		header, err := textproto.NewReader(r).ReadMIMEHeader()
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, n+4)
		if _, err := io.ReadFull(r, block); err != nil || string(block[n:]) != "\r\n\r\n" {
			t.Fatalf("%s: %v, ends with %q", name, err, block[n:])
		}
		if kind := header.Get("WARC-Type"); first != (kind == "warcinfo") {
			t.Errorf("%s: got a record of type %s", name, kind)
		}
		if header.Get("WARC-Type") != "response" {
			continue
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(block[:n])), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("X-Odd") != "a  b" {
			t.Errorf("%s: got %v, %v", name, resp.Header, err)
		}
		all[header.Get("WARC-Target-URI")] = string(body)
	}
}

func TestArchivesRotateAndCanBeRead(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "archive")
			w, err := warc.New(warc.Config{Dir: dir, MaxBytes: 2000, Compression: compression}, "Xinwen/test")
			if err != nil {
				t.Fatal(err)
			}
			want := make(map[string]string)
			for i := range 10 {
				r := response(i)
				want[r.URL] = string(r.Body)
				if err := w.Write(r); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(files) < 3 {
				t.Fatalf("got %v, %v, want several files", files, err)
			}
			got := make(map[string]string)
			for _, f := range files {
				if info, err := os.Stat(f); err != nil || info.Size() > 2000 || strings.HasSuffix(f, ".open") {
					t.Errorf("%s: %v, %v", f, info, err)
				}
				for u, b := range read(t, f) {
					got[u] = b
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []warc.Config{{Compression: "lzma"}, {MaxBytes: -1}} {
		if c.Validate() == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
