package bleve

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/han"
)

var (
	quality      = flag.Int("quality", 0, "queries of each set in TestRetrievalQuality; 0 skips it")
	noSynonyms   = flag.Bool("quality.no_synonyms", false, "without synonyms in TestRetrievalQuality")
	qualityMatch = flag.String("quality.match", search.MatchAuto, "match of the queries in TestRetrievalQuality")
)

const searchData = "../../../shared/data/search/"

// TestRetrievalQuality searches 34,000 texts in three scripts with questions
// whose answer is in a known one, and holds the mean reciprocal rank of that.
func TestRetrievalQuality(t *testing.T) {
	if *quality == 0 {
		t.Skip("indexes 14 MB: ask for it with -quality 100")
	}
	docs, err := os.Open(searchData + "docs.jsonl.gz")
	if err != nil {
		t.Skipf("no collection to measure with: %v", err)
	}
	defer docs.Close()
	x := openTest(t, t.TempDir())
	indexCollection(t, x, docs)

	sets := readQueries(t)
	mrr := make(map[string]float64)
	var took []time.Duration
	for name, queries := range sets {
		sum, found := 0.0, 0
		for _, q := range queries {
			start := time.Now()
			res, err := x.Search(t.Context(), search.Request{
				Query: q.Text, Syntax: search.SyntaxPlain, Match: *qualityMatch, Sort: search.SortRelevance, NoSynonyms: *noSynonyms,
			})
			if err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(start))
			if i := slices.IndexFunc(res.Hits, func(h search.Hit) bool { return h.ID == q.Gold }); i >= 0 {
				sum += 1 / float64(i+1)
				found++
			}
		}
		mrr[name] = sum / float64(len(queries))
		t.Logf("%-10s MRR@10 %.3f, recall@10 %.3f of %d queries", name, mrr[name], float64(found)/float64(len(queries)), len(queries))
	}
	mean := func(names ...string) float64 {
		sum := 0.0
		for _, n := range names {
			sum += mrr[n]
		}
		return sum / float64(len(names))
	}
	slices.Sort(took)
	within, across := mean("cmrc", "drcd", "xqzh", "xqen"), mean("cmrc>s2t", "drcd>t2s")
	t.Logf("mean %.3f, across scripts %.3f; query p50 %s, p99 %s", within, across, took[len(took)/2], took[len(took)*99/100])
	if within < 0.92 || across < 0.94 {
		t.Errorf("got a mean of %.3f and %.3f across scripts, want at least 0.92 and 0.94", within, across)
	}
}

type goldQuery struct {
	Set   string `json:"set"`
	Split string `json:"split"`
	Text  string `json:"q"`
	Gold  string `json:"gold"`
}

// readQueries returns the development queries by set. The sets whose names have
// a > in them ask in the other script.
func readQueries(t *testing.T) map[string][]goldQuery {
	t.Helper()
	data, err := os.ReadFile(searchData + "queries.jsonl")
	if err != nil {
		t.Skipf("no queries to measure with: %v", err)
	}
	sets := make(map[string][]goldQuery)
	for line := range strings.Lines(string(data)) {
		var q goldQuery
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		if q.Split == "dev" {
			sets[q.Set] = append(sets[q.Set], q)
		}
	}
	for name, queries := range sets {
		sets[name] = spread(queries, *quality)
	}
	return sets
}

// spread returns n of list, evenly spread.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}

// indexCollection writes the collection and logs what that cost.
func indexCollection(t *testing.T, x *Index, r io.Reader) {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	before, raw, count := cpuTime(t), 0, 0
	var batch []*news.Article
	for lines.Scan() {
		var d struct {
			ID, Lang, Title, Text, Source string
			TS                            int64
		}
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		lang, _, _ := strings.Cut(d.Lang, "-")
		a := &news.Article{
			Version: news.Version, ID: d.ID, Revision: 1, URL: "https://news.example/" + d.ID,
			Source: d.Source, Title: d.Title, Text: d.Text, Lang: lang, Script: han.Script(d.Text),
			Published: time.Unix(d.TS, 0).UTC(), Fetched: time.Unix(d.TS, 0).UTC(),
		}
		raw += len(d.Title) + len(d.Text)
		count++
		if batch = append(batch, a); len(batch) == 500 {
			write(t, x, uint64(count), batch...)
			batch = nil
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	write(t, x, uint64(count), batch...)
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	mb := float64(raw) / 1e6
	t.Logf("indexed %d texts of %.1f MB: %.2f MB per CPU second, %.2f times the raw size",
		count, mb, mb/(cpuTime(t)-before).Seconds(), float64(x.Bytes())/float64(raw))
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Skipf("no CPU time: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
