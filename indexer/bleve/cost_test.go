package bleve

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/han"
)

var (
	costArticles = flag.Int("cost", 0, "articles in TestCost; 0 skips it")
	costLang     = flag.String("cost.lang", "zh-hans,zh-hant,en", "languages of the articles in TestCost")
	costQueries  = flag.Int("cost.queries", 200, "queries of each kind in TestCost")
)

// articleBytes is how long the articles of TestCost are at most: about what news
// of the trade has.
const articleBytes = 2 << 10

// TestCost indexes news articles of about 2 KB and says what that and searching
// them cost. Where there are too few texts they come again with other dates.
func TestCost(t *testing.T) {
	if *costArticles == 0 {
		t.Skip("indexes many articles: ask for it with -cost 30000")
	}
	texts := readCorpora(t, strings.Split(*costLang, ","))
	x := openTest(t, t.TempDir())
	raw, cpu := indexVolume(t, x, texts, *costArticles)
	t.Logf("indexed %d articles of %.1f MB: %.2f MB per CPU second, %.2f times the raw size",
		*costArticles, float64(raw)/1e6, float64(raw)/1e6/cpu.Seconds(), float64(x.Bytes())/float64(raw))

	for _, kind := range []struct {
		name    string
		request func(r *rand.Rand) search.Request
	}{
		{"or of 8 words", func(r *rand.Rand) search.Request {
			return search.Request{Query: strings.Join(pieces(r, texts, 8), " OR "), Sort: search.SortRelevance}
		}},
		{"phrase", func(r *rand.Rand) search.Request {
			return search.Request{Query: `"` + phrase(r, texts) + `"`}
		}},
		{"boolean", func(r *rand.Rand) search.Request {
			p := pieces(r, texts, 3)
			return search.Request{Query: fmt.Sprintf("%s AND %s NOT %s", p[0], p[1], p[2]), Match: search.MatchAll}
		}},
		{"facets", func(r *rand.Rand) search.Request {
			return search.Request{Query: pieces(r, texts, 1)[0], Facets: []string{search.FacetSource, search.FacetLang, search.FacetEntity}}
		}},
		{"newest", func(r *rand.Rand) search.Request {
			return search.Request{Query: pieces(r, texts, 1)[0], Sort: search.SortNewest}
		}},
		{"newest of all", func(*rand.Rand) search.Request { return search.Request{Sort: search.SortNewest} }},
	} {
		for _, size := range []int{-1, 10} {
			r := rand.New(rand.NewPCG(1, 2))
			var took []time.Duration
			before := cpuTime(t)
			for range *costQueries {
				req := kind.request(r)
				req.Size = size
				start := time.Now()
				if _, err := x.Search(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			t.Logf("%-14s %3d hits shown: p50 %.2f ms, p99 %.2f ms, CPU %.2f ms on average", kind.name, max(size, 0),
				took[len(took)/2].Seconds()*1000, took[len(took)*99/100].Seconds()*1000, (cpuTime(t)-before).Seconds()*1000/float64(len(took)))
		}
	}
}

// pieces returns n words from texts: two characters, or a Latin word.
func pieces(r *rand.Rand, texts []*news.Article, n int) []string {
	var list []string
	for len(list) < n {
		a := texts[r.IntN(len(texts))]
		runes := []rune(a.Text)
		if len(runes) < 40 {
			continue
		}
		at := r.IntN(len(runes) - 30)
		if a.Lang == "en" {
			words := strings.FieldsFunc(string(runes[at:at+30]), func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' })
			if len(words) > 2 && len(words[1]) > 2 {
				list = append(list, words[1])
			}
			continue
		}
		if w := runes[at : at+2]; han.IsHan(w[0]) && han.IsHan(w[1]) {
			list = append(list, string(w))
		}
	}
	return list
}

// readCorpora reads news texts of some languages, one of each in turn.
func readCorpora(t *testing.T, langs []string) []*news.Article {
	t.Helper()
	each := make([][]*news.Article, len(langs))
	for i, lang := range langs {
		f, err := os.Open("../../../shared/data/corpora/news-" + lang + ".jsonl.gz")
		if err != nil {
			t.Skipf("no texts to measure with: %v", err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() && len(each[i]) < *costArticles/len(langs)+1 {
			var d struct{ Title, Text string }
			if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			for len(d.Text) > articleBytes || !utf8.ValidString(d.Text) {
				d.Text = d.Text[:min(len(d.Text)-1, articleBytes)]
			}
			if len(d.Text) > articleBytes/4 {
				a := &news.Article{Version: news.Version, Revision: 1, Source: fmt.Sprint("source", i), Title: d.Title, Text: d.Text, Lang: "zh", Script: han.Script(d.Text)}
				if lang == "en" {
					a.Lang = "en"
				}
				each[i] = append(each[i], a)
			}
		}
	}
	var list []*news.Article
	for k := range *costArticles {
		if l := each[k%len(each)]; k/len(each) < len(l) {
			list = append(list, l[k/len(each)])
		}
	}
	return list
}

// indexVolume writes count articles and returns their size and the CPU time.
func indexVolume(t *testing.T, x *Index, texts []*news.Article, count int) (raw int, cpu time.Duration) {
	t.Helper()
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	var ops []Op
	flush := func(seq int) {
		before := cpuTime(t)
		if err := x.Write(t.Context(), uint64(seq), ops); err != nil {
			t.Fatal(err)
		}
		cpu += cpuTime(t) - before
		ops = nil
	}
	for i := range count {
		a := *texts[i%len(texts)]
		a.ID = fmt.Sprintf("%024x", i*7919)
		a.URL = "https://news.example/" + a.ID
		a.Published = start.Add(time.Duration(i) * time.Minute)
		a.Fetched = a.Published
		raw += len(a.Title) + len(a.Text)
		op := testOp(t, &a)
		op.Seq, op.Time = uint64(i+1), a.Published
		if ops = append(ops, op); len(ops) == 500 {
			flush(i + 1)
		}
	}
	flush(count)
	before := cpuTime(t)
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return raw, cpu + cpuTime(t) - before
}

// phrase returns four characters in a row, or two Latin words.
func phrase(r *rand.Rand, texts []*news.Article) string {
	for {
		a := texts[r.IntN(len(texts))]
		runes := []rune(a.Text)
		if len(runes) < 80 {
			continue
		}
		at := r.IntN(len(runes) - 60)
		if a.Lang == "en" {
			if words := strings.Fields(string(runes[at : at+60])); len(words) > 3 {
				if p := words[1] + " " + words[2]; !strings.ContainsAny(p, "\"\\“”‘’*:()<>&|-!") {
					return p
				}
			}
			continue
		}
		if w := runes[at : at+4]; !slices.ContainsFunc(w, func(r rune) bool { return !han.IsHan(r) }) {
			return string(w)
		}
	}
}
