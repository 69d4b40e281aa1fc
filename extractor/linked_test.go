package extractor

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"xinwen/extractor/dom"
	"xinwen/news"
	"xinwen/news/charset"
	"xinwen/news/weburl"
)

// goldPage is a page whose article is known.
type goldPage struct {
	ID, HTML, URL, Lang, Text string
	Kind                      string `json:"page_type"`
	page                      *news.Page
}

// goldPages reads the articles among the development pages in a language, which
// lie beside the project.
func goldPages(t testing.TB, lang string) []goldPage {
	t.Helper()
	data := filepath.Join("..", "..", "shared", "data", "extraction")
	ids, err := os.ReadFile(filepath.Join(data, "dev.txt"))
	if err != nil {
		t.Skip("the pages whose articles are known are not beside the project")
	}
	use := make(map[string]bool)
	for id := range strings.FieldsSeq(string(ids)) {
		use[id] = true
	}
	files, err := filepath.Glob(filepath.Join(data, "*", "gold.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []goldPage
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, maxLine)
		for sc.Scan() {
			var g goldPage
			if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !use[g.ID] || !strings.HasPrefix(g.Lang, lang) || g.Text == "" || g.Kind != "article" {
				continue
			}
			in := pageLine{Path: filepath.Join(data, g.HTML), URL: g.URL}
			if g.page, err = in.page(); err != nil {
				t.Fatal(err)
			}
			if g.page.ID == "" {
				g.page.ID = weburl.ID(g.ID)
			}
			out = append(out, g)
		}
		if err := sc.Err(); err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // only read
	}
	return out
}

// letters keeps what a text says.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// TestSentencesWithLinksAreKeptWhole looks at every link in a sentence that the
// known article has.
func TestSentencesWithLinksAreKeptWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred pages")
	}
	x := newExtractor(t, Options{})
	kept, all := 0, 0
	for _, g := range goldPages(t, "zh") {
		a, err := x.Extract(g.page)
		if err != nil {
			t.Errorf("%s: %v", g.ID, err)
			continue
		}
		gold, got := letters(g.Text), letters(a.Text)
		html, _ := charset.Decode(g.page.Body, "")
		d := dom.Parse(html)
		for i := range d.Blocks {
			b := &d.Blocks[i]
			for _, l := range b.Links {
				s := sentenceAround(b.Text, l.Start, l.End)
				if !strings.ContainsAny(b.Text, "。！？；") {
					continue // a line of a list or a heading
				}
				if s = letters(s); len(s) < 3*len(letters(b.Text[l.Start:l.End]))/2 || len(s) < 24 || !strings.Contains(gold, s) {
					continue
				}
				all++
				if strings.Contains(got, s) {
					kept++
				} else {
					t.Logf("%s: lost %.120q", g.ID, s)
				}
			}
		}
	}
	share := float64(kept) / float64(max(all, 1))
	t.Logf("%d of %d sentences with links are whole: %.4f", kept, all, share)
	if all < 300 || share < 0.995 {
		t.Errorf("%d of %d sentences with links are whole, %.4f, want 0.995", kept, all, share)
	}
}

// sentenceAround returns the sentence of s that holds s[from:to].
func sentenceAround(s string, from, to int) string {
	const ends = "。！？!?\n"
	if i := strings.LastIndexAny(s[:from], ends); i >= 0 {
		s, to = s[i:], to-i
	}
	if i := strings.IndexAny(s[to:], ends); i >= 0 {
		s = s[:to+i]
	}
	return s
}
