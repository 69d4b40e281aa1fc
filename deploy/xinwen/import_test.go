package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportSendsAllThatCanBeRead(t *testing.T) {
	const lines = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"
	var sent strings.Builder
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent.Write(body)
		fmt.Fprintf(w, `{"accepted":%d}`, bytes.Count(body, []byte("\n")))
	}))
	defer api.Close()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(lines)) // into memory
	_ = z.Flush()
	whole := packed.Len()
	_, _ = z.Write([]byte("{\"text\":\"c\"}\n"))
	_ = z.Close()
	cut := packed.Bytes()[:whole]

	for _, tc := range []struct {
		name  string
		files map[string]string
		sent  string
		want  string // part of the error
	}{
		{"plain", map[string]string{"a.jsonl": lines}, lines, ""},
		{"no-last-newline", map[string]string{"a.jsonl": lines[:len(lines)-1]}, lines, ""},
		{"mark-and-blank-lines", map[string]string{"a.jsonl": "\ufeff" + lines + "\n\r\n"}, lines, ""},
		{"gzip-whatever-the-name", map[string]string{"a.jsonl": packed.String()}, lines + "{\"text\":\"c\"}\n", ""},
		{"line-too-long", map[string]string{"a.jsonl": `{"text":"` + strings.Repeat("x", maxImportLine) + "\"}\n" + lines}, lines, "1 lines were refused"},
		{"cut", map[string]string{"a.jsonl.gz": string(cut), "b.jsonl": "{\"text\":\"d\"}\n"}, lines + "{\"text\":\"d\"}\n", "1 files could not be read to the end"},
		{"not-gzip", map[string]string{"a.jsonl.gz": "\x1f\x8bno", "b.jsonl": lines}, lines, "1 files could not be read to the end"},
		{"missing", map[string]string{"a.jsonl": lines, "missing": ""}, "", "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent.Reset()
			dir := t.TempDir()
			c := importCmd{apiFlags: apiFlags{API: api.URL}}
			for _, name := range []string{"a.jsonl", "a.jsonl.gz", "b.jsonl", "missing"} {
				text, ok := tc.files[name]
				if !ok {
					continue
				}
				c.Files = append(c.Files, filepath.Join(dir, name))
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := c.Run(t.Context())
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if diff := cmp.Diff(tc.sent, sent.String()); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}
