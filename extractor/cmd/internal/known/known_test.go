package known

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEachReadsTheListedPages(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("<meta charset=gbk><p>\xb1\xa8\xbc\xdb")) // into memory
	_ = z.Close()
	write(t, filepath.Join(dir, "a", "html", "1.html.gz"), b.Bytes())
	write(t, filepath.Join(dir, "dev.txt"), []byte("a/1\na/2\nb/1\n"))
	line := `{"id":"a/1","set":"a","html":"a/html/1.html.gz","lang":"zh-Hans","title":"报价"}` + "\n"
	write(t, filepath.Join(dir, "a", "gold.jsonl"), []byte(line+strings.ReplaceAll(line, "a/1", "a/9")))
	write(t, filepath.Join(dir, "b", "gold.jsonl"), []byte(`{"id":"b/1","html":"none","lang":"en"}`))
	var got []string
	err := Each(dir, func(l *Line) bool { return l.Title != "" }, func(l *Line, html string) error {
		got = append(got, l.ID+" "+l.Language()+" "+html)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, []string{"a/1 zh <meta charset=gbk><p>报价"}); diff != "" {
		t.Errorf("pages differ (-got +want):\n%s", diff)
	}
	if err := Each(dir, func(*Line) bool { return true }, func(*Line, string) error { return nil }); err == nil || !strings.Contains(err.Error(), "b/1") {
		t.Errorf("got %v for a page that is not there, want its ID", err)
	}
}
