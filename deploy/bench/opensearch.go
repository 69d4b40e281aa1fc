package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/change"
	"xinwen/indexer/opensearch"
	"xinwen/indexer/opensearch/opensearchtest"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// The collection: texts in three scripts in one index, and questions whose answer
// is in a known one. The sets with > ask in the other script.
const collection = "../../../shared/data/search/"

var (
	sameScript  = []string{"cmrc", "drcd", "xqzh", "xqen"}
	otherScript = []string{"cmrc>s2t", "drcd>t2s"}
)

// stock are analyzers that OpenSearch has; smartcn where its plugin is there.
var stock = []string{"cjk", "smartcn"}

// retriever is a search engine that is asked for the texts that answer a question.
type retriever interface {
	// index indexes texts; spent is the CPU time of that, size what it takes up.
	index(ctx context.Context, texts []*news.Article) (spent time.Duration, size int64, err error)
	// find returns the IDs of the ten best.
	find(ctx context.Context, question string) ([]string, error)
}

// opensearchQuality compares the analyzers of OpenSearch with ours, on Bleve and
// on OpenSearch itself.
func opensearchQuality(ctx context.Context) error {
	flags := flag.NewFlagSet("opensearch", flag.ContinueOnError)
	most := flags.Int("queries", 100, "questions of each set")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	texts, raw, err := readCollection()
	if err != nil {
		return err
	}
	sets, err := readQuestions(*most)
	if err != nil {
		return err
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	an, err := analysis.New(analysis.Options{Lexicon: lex})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cluster, err := opensearchtest.Start(ctx, 1, "")
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Stop() }() // measured already
	node := cluster.Nodes()[0]

	// A young JVM is slow: let it warm up on a few of the texts.
	_, engines, err := retrievers(ctx, node, filepath.Join(dir, "warm"), "warm", an, lexicon.NewStore(lex))
	if err != nil {
		return err
	}
	for _, e := range engines[1:] {
		if _, _, err := e.index(ctx, texts[:min(len(texts), 4000)]); err != nil {
			return err
		}
	}
	names, engines, err := retrievers(ctx, node, filepath.Join(dir, "bleve"), "bench", an, lexicon.NewStore(lex))
	if err != nil {
		return err
	}

	quality := make([]map[string]float64, len(engines))
	speed, bulk, took := make([]float64, len(engines)), make([]float64, len(engines)), make([]float64, len(engines))
	for i, e := range engines {
		spent, bytes, err := e.index(ctx, texts)
		if err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		speed[i], bulk[i] = float64(raw)/1e6/spent.Seconds(), float64(bytes)/float64(raw)
		if quality[i], took[i], err = ask10(ctx, e, sets); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	rivals := func(value func(i int) float64) []string {
		var list []string
		for i := range engines[1:] {
			list = append(list, names[i+1]+"="+number(value(i+1)))
		}
		return list
	}
	mean := func(i int, sets []string) float64 {
		sum := 0.0
		for _, s := range sets {
			sum += quality[i][s]
		}
		return sum / float64(len(sets))
	}
	for _, set := range slices.Concat(sameScript, otherScript) {
		versus("MRR@10 of "+set, quality[0][set], "", "", rivals(func(i int) float64 { return quality[i][set] })...)
	}
	for name, sets := range map[string][]string{"in one script": sameScript, "across scripts": otherScript, "of all sets": slices.Concat(sameScript, otherScript)} {
		versus("MRR@10 "+name, mean(0, sets), "", "", rivals(func(i int) float64 { return mean(i, sets) })...)
		best := 0.0
		for i := 2; i < len(engines); i++ {
			best = max(best, mean(i, sets))
		}
		figure("1 − MRR of the best analyzer of OpenSearch ÷ ours, "+name, (1-best)/(1-mean(0, sets)), "×", "≥ 2")
	}
	versus("indexing", speed[0], "MB/CPU-s", "", rivals(func(i int) float64 { return speed[i] })...)
	versus("size", bulk[0], "× raw", "", rivals(func(i int) float64 { return bulk[i] })...)
	versus("question, p50", took[0], "ms", "", rivals(func(i int) float64 { return took[i] })...)
	return nil
}

// retrievers returns ours, that on OpenSearch, and OpenSearch with its analyzers.
// The prefix begins the names of all indexes on the node.
func retrievers(ctx context.Context, node *opensearchtest.Node, dir, prefix string, an *analysis.Analyzer, lex *lexicon.Store) (names []string, engines []retriever, err error) {
	none := 0
	names = []string{"ours", "OpenSearch-with-our-tokens"}
	engines = []retriever{
		&ourIndex{open: func() (writer, error) {
			return bleve.Open(bleve.Options{Dir: dir, Analyzer: an, Lexicon: lex})
		}, bytes: func(context.Context) (int64, error) { return size(dir), nil }, spent: cpu},
		&ourIndex{open: func() (writer, error) {
			c := opensearch.Config{URLs: []string{node.URL}, Prefix: prefix, Replicas: &none}
			return opensearch.Open(ctx, opensearch.Options{Analyzer: an, Lexicon: lex, Config: c})
		}, bytes: func(ctx context.Context) (int64, error) { return merged(ctx, node.URL, prefix+"-*") }, spent: func() time.Duration { return cpuBeside(node.PID) }},
	}
	for _, analyzer := range stock {
		e := &stockIndex{node: node, name: prefix + "_" + analyzer}
		err := e.make(ctx, analyzer)
		if err != nil && strings.Contains(err.Error(), "["+analyzer+"] has not been configured") {
			fmt.Fprintf(os.Stderr, "without %s: deploy/opensearch/%s/install adds it\n", analyzer, analyzer)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		names, engines = append(names, "OpenSearch-"+analyzer), append(engines, e)
	}
	return names, engines, nil
}

// readCollection returns the texts and their size.
func readCollection() (list []*news.Article, raw int, err error) {
	f, err := os.Open(collection + "docs.jsonl.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("no texts to measure with: %w", err)
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, 0, err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var d struct {
			ID, Lang, Title, Text, Source string
			TS                            int64
		}
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, 0, err
		}
		lang, _, _ := strings.Cut(d.Lang, "-")
		at := time.Unix(d.TS, 0).UTC()
		list = append(list, &news.Article{
			Version: news.Version, ID: d.ID, Revision: 1, URL: "https://news.example/" + d.ID, Source: d.Source,
			Title: d.Title, Text: d.Text, Lang: lang, Script: han.Script(d.Text), Published: at, Fetched: at,
		})
		raw += len(d.Title) + len(d.Text)
	}
	return list, raw, lines.Err()
}

// goldQuestion is a question and the text that answers it.
type goldQuestion struct {
	Set, Split string
	Text       string `json:"q"`
	Gold       string
}

// readQuestions returns up to most questions of each set for development, evenly
// spread.
func readQuestions(most int) (map[string][]goldQuestion, error) {
	data, err := os.ReadFile(collection + "queries.jsonl")
	if err != nil {
		return nil, err
	}
	sets := make(map[string][]goldQuestion)
	for line := range bytes.Lines(data) {
		var q goldQuestion
		if err := json.Unmarshal(line, &q); err != nil {
			return nil, err
		}
		if q.Split == "dev" {
			sets[q.Set] = append(sets[q.Set], q)
		}
	}
	for name, list := range sets {
		if n := len(list); n > most {
			few := make([]goldQuestion, most)
			for i := range few {
				few[i] = list[i*n/most]
			}
			sets[name] = few
		}
	}
	return sets, nil
}

// ask10 returns the mean reciprocal rank of the answers among the ten best of
// each set, and the median time of a question in milliseconds.
func ask10(ctx context.Context, e retriever, sets map[string][]goldQuestion) (map[string]float64, float64, error) {
	mrr := make(map[string]float64)
	var took []float64
	for _, name := range slices.Concat(sameScript, otherScript) {
		sum := 0.0
		for _, q := range sets[name] {
			start := time.Now()
			ids, err := e.find(ctx, q.Text)
			if err != nil {
				return nil, 0, err
			}
			took = append(took, time.Since(start).Seconds()*1000)
			if i := slices.Index(ids, q.Gold); i >= 0 {
				sum += 1 / float64(i+1)
			}
		}
		mrr[name] = sum / float64(max(len(sets[name]), 1))
	}
	slices.Sort(took)
	return mrr, took[len(took)/2], nil
}

// writer is an index of either of our engines.
type writer interface {
	search.Searcher
	Write(ctx context.Context, seq uint64, ops []change.Op) error
	Flush(ctx context.Context) error
}

// ourIndex is one of our engines.
type ourIndex struct {
	open  func() (writer, error)
	bytes func(context.Context) (int64, error)
	spent func() time.Duration
	x     writer
}

func (e *ourIndex) index(ctx context.Context, texts []*news.Article) (spent time.Duration, size int64, err error) {
	if e.x, err = e.open(); err != nil {
		return 0, 0, err
	}
	before := e.spent()
	seq := uint64(0)
	for some := range slices.Chunk(texts, 500) {
		ops := make([]change.Op, len(some))
		for i, a := range some {
			data, err := json.Marshal(a)
			if err != nil {
				return 0, 0, err
			}
			seq++
			ops[i] = change.Op{Article: a, Data: data, Seq: seq, Time: a.Fetched}
		}
		if err := e.x.Write(ctx, seq, ops); err != nil {
			return 0, 0, err
		}
	}
	if err := e.x.Flush(ctx); err != nil {
		return 0, 0, err
	}
	spent = e.spent() - before
	size, err = e.bytes(ctx)
	return spent, size, err
}

func (e *ourIndex) find(ctx context.Context, question string) ([]string, error) {
	res, err := e.x.Search(ctx, search.Request{Query: question, Syntax: search.SyntaxPlain, Sort: search.SortRelevance})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, h := range res.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}

// stockIndex is OpenSearch with an analyzer of its own: title and text as one
// field, BM25 as it comes, any word of the question.
type stockIndex struct {
	node *opensearchtest.Node
	name string
}

func (e *stockIndex) make(ctx context.Context, analyzer string) error {
	return call(ctx, http.MethodPut, e.node.URL+"/"+e.name, map[string]any{
		"settings": map[string]any{"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "30s"},
		"mappings": map[string]any{"dynamic": "strict", "properties": map[string]any{
			"body": map[string]any{"type": "text", "analyzer": analyzer},
		}},
	}, nil)
}

func (e *stockIndex) index(ctx context.Context, texts []*news.Article) (time.Duration, int64, error) {
	before := cpuBeside(e.node.PID)
	for some := range slices.Chunk(texts, 500) {
		var lines bytes.Buffer
		enc := json.NewEncoder(&lines)
		for _, a := range some {
			err := errors.Join(
				enc.Encode(map[string]any{"index": map[string]any{"_id": a.ID}}),
				enc.Encode(map[string]any{"body": a.Title + "\n" + a.Text}))
			if err != nil {
				return 0, 0, err
			}
		}
		var res struct{ Errors bool }
		if err := call(ctx, http.MethodPost, e.node.URL+"/"+e.name+"/_bulk", lines.Bytes(), &res); err != nil {
			return 0, 0, err
		}
		if res.Errors {
			return 0, 0, errors.New("some texts were refused")
		}
	}
	if err := call(ctx, http.MethodPost, e.node.URL+"/"+e.name+"/_refresh", nil, nil); err != nil {
		return 0, 0, err
	}
	spent := cpuBeside(e.node.PID) - before
	size, err := merged(ctx, e.node.URL, e.name)
	return spent, size, err
}

func (e *stockIndex) find(ctx context.Context, question string) ([]string, error) {
	var res struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	err := call(ctx, http.MethodPost, e.node.URL+"/"+e.name+"/_search", map[string]any{
		"query": map[string]any{"match": map[string]any{"body": question}}, "size": 10, "_source": false,
	}, &res)
	var ids []string
	for _, h := range res.Hits.Hits {
		ids = append(ids, h.ID)
	}
	return ids, err
}

// merged returns the size of indexes after merging them into one segment.
func merged(ctx context.Context, url, indexes string) (int64, error) {
	if err := call(ctx, http.MethodPost, url+"/"+indexes+"/_forcemerge?max_num_segments=1&flush=true", nil, nil); err != nil {
		return 0, err
	}
	var res struct {
		All struct {
			Primaries struct {
				Store struct {
					Size int64 `json:"size_in_bytes"`
				}
			}
		} `json:"_all"`
	}
	err := call(ctx, http.MethodGet, url+"/"+indexes+"/_stats/store", nil, &res)
	return res.All.Primaries.Store.Size, err
}

// call asks OpenSearch. The body is lines of JSON where it is bytes.
func call(ctx context.Context, method, url string, body, v any) error {
	data, ok := body.([]byte)
	kind := "application/x-ndjson"
	if !ok && body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
		kind = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode >= 300:
		return fmt.Errorf("%s: %d %.300s", url, res.StatusCode, data)
	case v == nil:
		return nil
	}
	return json.Unmarshal(data, v)
}

// cpuBeside returns the CPU time that this process and another have taken.
func cpuBeside(pid int) time.Duration {
	seconds, _ := cpuOf(pid) // 0 where it cannot be seen
	return cpu() + time.Duration(seconds*float64(time.Second))
}
