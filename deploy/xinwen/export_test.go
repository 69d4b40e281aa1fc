package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestExportIsComparedWithItsManifest(t *testing.T) {
	const articles = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n"
	const table = "id,title\na,\"two\nlines\"\n"
	manifest := func(body string, count int, complete bool) string {
		return fmt.Sprintf(`{"query":"x","count":%d,"sha256":"%x","complete":%v,"cursor":"c1"}`, count, sha256.Sum256([]byte(body)), complete)
	}
	ndjson := func(body string, count int, complete bool) string {
		return `{"manifest":` + manifest(body, count, complete) + "}\n"
	}
	for _, tc := range []struct {
		name, format, body, want string
	}{
		{"whole", "ndjson", articles + ndjson(articles, 2, true), ""},
		{"empty", "ndjson", ndjson("", 0, true), ""},
		{"csv", "csv", table + "# manifest " + manifest(table, 1, true) + "\n", ""},
		{"cut-after-a-line", "ndjson", articles, "broke off after 2 lines"},
		{"cut-in-a-line", "ndjson", articles[:15], "broke off after 2 lines"},
		{"cut-in-the-manifest", "ndjson", articles + ndjson(articles, 2, true)[:40], "no manifest"},
		{"nothing", "ndjson", "", "broke off after 0 lines"},
		{"line-lost", "ndjson", articles[:11] + ndjson(articles, 2, true), "1 articles of 2"},
		{"changed", "ndjson", strings.Replace(articles, "a", "c", 1) + ndjson(articles, 2, true), "not what was sent"},
		{"ended-early", "ndjson", articles + ndjson(articles, 2, false), "ended early, after 2 articles"},
		{"csv-cut", "csv", table, "no manifest"},
		{"csv-changed", "csv", "x" + table + "# manifest " + manifest(table, 1, true) + "\n", "not what was sent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			err := copyExport(&out, iotest.OneByteReader(strings.NewReader(tc.body)), tc.format)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if out.String() != tc.body {
				t.Errorf("got %q printed, want %q", out.String(), tc.body)
			}
		})
	}
	err := copyExport(io.Discard, io.MultiReader(strings.NewReader(articles), iotest.ErrReader(io.ErrUnexpectedEOF)), "ndjson")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the connection's error", err)
	}
}
