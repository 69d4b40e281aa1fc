package fit

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinwen/extractor/entity/tagger"
	"xinwen/news/lexicon"
)

func TestOnlyUsableTexts(t *testing.T) {
	for licence, want := range map[string]bool{"CC BY-SA 4.0": true, "MIT": true, "research use": false, "": false, "CC BY-NC-SA": false} {
		if got := Usable(licence); got != want {
			t.Errorf("%q: got %v, want %v", licence, got, want)
		}
	}
}

func TestCorporaSayWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Corpora(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got error %v, want one that names the folder", err)
	}
}

func TestTruncatedCorpusIsAnError(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 100 {
		if _, err := z.Write([]byte(`{"id":"a","licence":"MIT","text":"星穹河"}` + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "news-zh.jsonl.gz")
	for cut, want := range map[int]int{0: 100, 9: -1} {
		if err := os.WriteFile(path, b.Bytes()[:b.Len()-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := Corpora(dir)
		if want < 0 && err == nil || want >= 0 && (err != nil || len(list) != want) {
			t.Errorf("%d bytes short: got %d articles and error %v, want %d, or an error for -1", cut, len(list), err, want)
		}
	}
}

func TestLessonsHideNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(path, []byte("宣布 500 v\n投产 20 v\n陈一舟 3 nr\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := ReadDictionary(path)
	if err != nil {
		t.Fatal(err)
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	teacher := newTeacher(lex, d)
	known, names := 0, 0
	for _, id := range strings.Fields("a b c d e f g h") {
		a := Article{ID: id, Lang: "zh-Hans", Title: "新闻", Text: "台积电与英伟达在新竹宣布投产一条新的产线,三星电子没有评论。"}
		for _, s := range teacher.lessons(tagger.Chinese, &a) {
			known, names = known+len(s.Known), names+len(s.Names)
			for _, n := range s.Names {
				if n.Start < 0 || n.End > len(s.Text) || n.Start >= n.End {
					t.Errorf("name %+v lies outside of %q", n, s.Text)
				}
			}
		}
	}
	if known == 0 || names == 0 {
		t.Errorf("got %d known and %d hidden names, want some of both", known, names)
	}
}
