package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/blugelabs/bluge"
	blugeanalysis "github.com/blugelabs/bluge/analysis"
	"github.com/blugelabs/bluge/analysis/tokenizer"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

const (
	searchArticles = 30_000
	searchQueries  = 200
	// articleBytes is how long an article is at most.
	articleBytes = 2 << 10
)

// engine is a search engine under measurement.
type engine interface {
	index(context.Context, []*document) error
	// bytes is the size on disk.
	bytes() int64
	// ask runs a query, and reports false if the engine has none of the kind.
	ask(context.Context, question) (bool, error)
}

// document is an article with its words.
type document struct {
	*news.Article
	words []string
}

// question is what is asked of all engines.
type question struct {
	kind   string
	words  []string // of any kind
	facets bool
	newest bool
}

var questionKinds = []string{"OR of 8 words", "phrase", "boolean", "facets", "newest first"}

// compare indexes the same articles, cut into the same words, with three engines
// and asks them the same. Ours also cuts into pairs of characters, looks for
// entities, groups stories and shows snippets.
func compare(ctx context.Context) error {
	count := searchArticles
	if n, err := strconv.Atoi(os.Getenv("XINWEN_BENCH_ARTICLES")); err == nil {
		count = n
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	an, err := analysis.New(analysis.Options{Lexicon: lex})
	if err != nil {
		return err
	}
	docs, raw, err := volume(an, count)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	names := []string{"ours", "SQLite FTS5", "bluge"}
	engines := []engine{
		&xinwen{dir: filepath.Join(dir, "xinwen"), analyzer: an, lexicon: lexicon.NewStore(lex)},
		&fts5{path: filepath.Join(dir, "fts5.db")},
		&blugeIndex{dir: filepath.Join(dir, "bluge")},
	}
	var speed, size [3]float64
	for i, e := range engines {
		before := cpu()
		if err := e.index(ctx, docs); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		speed[i] = float64(raw) / 1e6 / (cpu() - before).Seconds()
		size[i] = float64(e.bytes()) / float64(raw)
	}
	rivals := func(values [3]float64) []string {
		var list []string
		for i, v := range values[1:] {
			if v > 0 {
				list = append(list, strings.ReplaceAll(names[i+1], " ", "-")+"="+number(v))
			}
		}
		return list
	}
	figure("articles", float64(len(docs)), "", "")
	versus("indexing (words and pairs of characters; rivals words)", speed[0], "MB/CPU-s", "≥ 1.2, aim 2.0", rivals(speed)...)
	versus("size", size[0], "× raw", "≤ 3.6, aim 2.5", rivals(size)...)
	for _, kind := range questionKinds {
		var p50, p99 [3]float64
		for i, e := range engines {
			rnd := rand.New(rand.NewPCG(3, 4))
			var took []float64
			for range searchQueries {
				q := ask(rnd, docs, kind)
				start := time.Now()
				ok, err := e.ask(ctx, q)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", names[i], kind, err)
				}
				if ok {
					took = append(took, time.Since(start).Seconds()*1000)
				}
			}
			if slices.Sort(took); len(took) > 0 {
				p50[i], p99[i] = took[len(took)/2], took[len(took)*99/100]
			}
		}
		versus(kind+", p50", p50[0], "ms", "", rivals(p50)...)
		versus(kind+", p99", p99[0], "ms", "", rivals(p99)...)
	}
	return nil
}

// volume returns articles of about 2 KB in three scripts, a minute apart; where
// there are too few texts, they come again.
func volume(an *analysis.Analyzer, count int) (docs []*document, raw int, err error) {
	langs := []string{"zh-hans", "zh-hant", "en"}
	texts := make([][]*news.Article, len(langs))
	for i, lang := range langs {
		if texts[i], err = readTexts(lang, count/len(langs)+1); err != nil {
			return nil, 0, err
		}
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range count {
		of := texts[i%len(langs)]
		a := *of[i/len(langs)%len(of)]
		a.ID = fmt.Sprintf("%024x", i*7919)
		a.URL = "https://news.example/" + a.ID
		a.Published = start.Add(time.Duration(i) * time.Minute)
		a.Fetched = a.Published
		raw += len(a.Title) + len(a.Text)
		d := &document{Article: &a}
		for _, t := range an.Words(a.Title + "\n" + a.Text) {
			if !t.Part {
				d.words = append(d.words, t.Term)
			}
		}
		docs = append(docs, d)
	}
	return docs, raw, nil
}

func readTexts(lang string, most int) ([]*news.Article, error) {
	f, err := os.Open(filepath.Join(corpora, "news-"+lang+".jsonl.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no texts to measure with: %w", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	var list []*news.Article
	for lines.Scan() && len(list) < most {
		var d struct{ Title, Text string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, err
		}
		for len(d.Text) > articleBytes || !utf8.ValidString(d.Text) {
			d.Text = d.Text[:min(len(d.Text)-1, articleBytes)]
		}
		if len(d.Text) < articleBytes/4 {
			continue
		}
		a := &news.Article{Version: news.Version, Revision: 1, Source: "demo-" + lang, Title: d.Title, Text: d.Text, Lang: "zh", Script: han.Script(d.Text)}
		if lang == "en" {
			a.Lang = "en"
		}
		list = append(list, a)
	}
	return list, lines.Err()
}

// ask makes a question out of words that articles have.
func ask(r *rand.Rand, docs []*document, kind string) question {
	plain := func(w string) bool {
		n := utf8.RuneCountInString(w)
		return n > 1 && !strings.ContainsAny(w, ".'") && (analysis.IsIdeograph(w) || n > 2 && w[0] >= 'a' && w[0] <= 'z')
	}
	pick := func(n int) []string {
		for {
			d := docs[r.IntN(len(docs))]
			if len(d.words) < n+1 {
				continue
			}
			at := r.IntN(len(d.words) - n)
			if w := d.words[at : at+n]; !slices.ContainsFunc(w, func(w string) bool { return !plain(w) }) {
				return w
			}
		}
	}
	q := question{kind: kind}
	switch kind {
	case "OR of 8 words":
		for range 8 {
			q.words = append(q.words, pick(1)...)
		}
	case "phrase":
		q.words = pick(2)
	case "boolean":
		q.words = slices.Concat(pick(1), pick(1), pick(1))
	default:
		q.words = pick(1)
		q.facets, q.newest = kind == "facets", kind == "newest first"
	}
	return q
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func size(path string) int64 {
	var n int64
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error { // what goes meanwhile does not count
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// xinwen is our own engine.
type xinwen struct {
	dir      string
	analyzer *analysis.Analyzer
	lexicon  *lexicon.Store
	x        *bleve.Index
}

func (e *xinwen) index(ctx context.Context, docs []*document) (err error) {
	if e.x, err = bleve.Open(bleve.Options{Dir: e.dir, Analyzer: e.analyzer, Lexicon: e.lexicon}); err != nil {
		return err
	}
	var ops []bleve.Op
	for i, d := range docs {
		data, err := json.Marshal(d.Article)
		if err != nil {
			return err
		}
		ops = append(ops, bleve.Op{Article: d.Article, Data: data, Seq: uint64(i + 1), Time: d.Fetched})
		if len(ops) == 500 || i+1 == len(docs) {
			if err := e.x.Write(ctx, uint64(i+1), ops); err != nil {
				return err
			}
			ops = nil
		}
	}
	return e.x.Flush(ctx)
}

func (e *xinwen) bytes() int64 { return size(e.dir) }

func (e *xinwen) ask(ctx context.Context, q question) (bool, error) {
	r := search.Request{Match: search.MatchAll, Sort: search.SortRelevance}
	switch q.kind {
	case "OR of 8 words":
		r.Query = strings.Join(q.words, " OR ")
	case "phrase":
		r.Query = `"` + strings.Join(q.words, " ") + `"`
	case "boolean":
		r.Query = q.words[0] + " " + q.words[1] + " NOT " + q.words[2]
	default:
		r.Query = q.words[0]
	}
	if q.facets {
		r.Facets = []string{search.FacetSource, search.FacetLang}
	}
	if q.newest {
		r.Sort = search.SortNewest
	}
	_, err := e.x.Search(ctx, r)
	return true, err
}

// fts5 is the full-text index of SQLite.
type fts5 struct {
	path string
	db   *sql.DB
}

func (e *fts5) index(ctx context.Context, docs []*document) (err error) {
	if e.db, err = sql.Open("sqlite", e.path); err != nil {
		return err
	}
	e.db.SetMaxOpenConns(1)
	for _, stmt := range []string{
		"PRAGMA journal_mode=WAL",
		"CREATE VIRTUAL TABLE texts USING fts5(words, tokenize='unicode61 remove_diacritics 0')",
		"CREATE TABLE articles (id INTEGER PRIMARY KEY, source TEXT, lang TEXT, published INTEGER)",
	} {
		if _, err := e.db.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(docs, 500) {
		tx, err := e.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, d := range batch {
			res, err := tx.ExecContext(ctx, "INSERT INTO texts (words) VALUES (?)", strings.Join(d.words, " "))
			if err != nil {
				return errors.Join(err, tx.Rollback())
			}
			id, err := res.LastInsertId()
			if err == nil {
				_, err = tx.ExecContext(ctx, "INSERT INTO articles VALUES (?, ?, ?, ?)", id, d.Source, d.Lang, d.Published.Unix())
			}
			if err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	_, err = e.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

func (e *fts5) bytes() int64 { return size(e.path) }

func (e *fts5) ask(ctx context.Context, q question) (bool, error) {
	quoted := make([]string, len(q.words))
	for i, w := range q.words {
		quoted[i] = `"` + w + `"`
	}
	match := quoted[0]
	switch q.kind {
	case "OR of 8 words":
		match = strings.Join(quoted, " OR ")
	case "phrase":
		match = `"` + strings.Join(q.words, " ") + `"`
	case "boolean":
		match = quoted[0] + " AND " + quoted[1] + " NOT " + quoted[2]
	}
	query := "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10"
	switch {
	case q.facets:
		query = "SELECT count(*) FROM articles WHERE id IN (SELECT rowid FROM texts WHERE texts MATCH ?) GROUP BY source, lang"
	case q.newest:
		query = "SELECT id FROM articles WHERE id IN (SELECT rowid FROM texts WHERE texts MATCH ?) ORDER BY published DESC LIMIT 10"
	}
	rows, err := e.db.QueryContext(ctx, query, match)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return false, err
		}
	}
	return true, rows.Err()
}

// blugeIndex is github.com/blugelabs/bluge.
type blugeIndex struct {
	dir    string
	reader *bluge.Reader
}

func (e *blugeIndex) index(_ context.Context, docs []*document) error {
	w, err := bluge.OpenWriter(bluge.DefaultConfig(e.dir))
	if err != nil {
		return err
	}
	white := &blugeanalysis.Analyzer{Tokenizer: tokenizer.NewWhitespaceTokenizer()}
	for chunk := range slices.Chunk(docs, 500) {
		batch := bluge.NewBatch()
		for _, d := range chunk {
			batch.Insert(bluge.NewDocument(d.ID).
				AddField(bluge.NewTextField("words", strings.Join(d.words, " ")).WithAnalyzer(white).StoreValue().SearchTermPositions()).
				AddField(bluge.NewKeywordField("source", d.Source).Aggregatable()).
				AddField(bluge.NewDateTimeField("published", d.Published).Sortable()))
		}
		if err := w.Batch(batch); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	e.reader, err = bluge.OpenReader(bluge.DefaultConfig(e.dir))
	return err
}

func (e *blugeIndex) bytes() int64 { return size(e.dir) }

func (e *blugeIndex) ask(ctx context.Context, q question) (bool, error) {
	term := func(w string) bluge.Query { return bluge.NewTermQuery(w).SetField("words") }
	query := term(q.words[0])
	switch q.kind {
	case "OR of 8 words":
		b := bluge.NewBooleanQuery()
		for _, w := range q.words {
			b.AddShould(term(w))
		}
		query = b
	case "phrase":
		query = bluge.NewMatchPhraseQuery(strings.Join(q.words, " ")).SetField("words").
			SetAnalyzer(&blugeanalysis.Analyzer{Tokenizer: tokenizer.NewWhitespaceTokenizer()})
	case "boolean":
		query = bluge.NewBooleanQuery().AddMust(term(q.words[0]), term(q.words[1])).AddMustNot(term(q.words[2]))
	case "facets":
		return false, nil
	}
	req := bluge.NewTopNSearch(10, query).WithStandardAggregations()
	if q.newest {
		req.SortBy([]string{"-published"})
	}
	hits, err := e.reader.Search(ctx, req)
	if err != nil {
		return false, err
	}
	for {
		hit, err := hits.Next()
		if err != nil || hit == nil {
			return true, err
		}
		if err := hit.VisitStoredFields(func(string, []byte) bool { return true }); err != nil {
			return true, err
		}
	}
}
