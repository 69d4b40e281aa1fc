package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"xinwen/api"
	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// requestKinds are what the clients of atVolume ask, each as often as it stands
// here.
var requestKinds = []string{
	"relevance", "relevance", "relevance", "phrase", "phrase", "boolean", "OR", "newest", "newest", "page", "page",
}

// atVolume searches a large index over HTTP with several clients at once. With
// -dir the index is kept and used again.
func atVolume(ctx context.Context) error {
	flags := flag.NewFlagSet("volume", flag.ContinueOnError)
	count := flags.Int("articles", 100_000, "articles in the index; where there are too few texts they come again with other dates")
	clients := flags.Int("clients", 8, "clients at once")
	requests := flags.Int("requests", 2000, "requests of all clients together")
	kinds := flags.String("kinds", "", "kinds of requests to make, separated by commas; a mix of all if empty")
	slowest := flags.Int("slowest", 0, "how many of the slowest requests to show")
	dir := flags.String("dir", "", "folder to keep the index in; a temporary one if empty")
	profile := flags.String("profile", "", "file for a CPU profile of the searches")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	if *dir == "" {
		var err error
		if *dir, err = os.MkdirTemp("", "xinwen-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(*dir)
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	an, err := analysis.New(analysis.Options{Lexicon: lex})
	if err != nil {
		return err
	}
	texts, err := mixedTexts(*count)
	if err != nil {
		return err
	}
	store := lexicon.NewStore(lex)
	options := bleve.Options{Dir: filepath.Join(*dir, "index"), Analyzer: an, Lexicon: store}
	x, err := bleve.Open(options)
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }() // Close below is the one that counts
	if err := fillIndex(ctx, x, texts, *count); err != nil {
		return err
	}
	if err := x.Close(); err != nil {
		return err
	}
	opened := time.Now()
	if x, err = bleve.Open(options); err != nil {
		return err
	}
	figure(fmt.Sprintf("opening the index of %d articles", *count), time.Since(opened).Seconds(), "s", "")

	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: filepath.Join(*dir, "bus")}, Name: "bench", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // its data is thrown away
	server, err := api.New(api.Options{
		Bus: b, Searcher: x, Evaluator: query.NewEvaluator(an, store), Lexicon: store,
		Config: api.Config{Listen: "127.0.0.1:0", AlertsDir: filepath.Join(*dir, "alerts")},
	})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
		}
		defer pprof.StopCPUProfile()
	}
	mix := requestKinds
	if *kinds != "" {
		mix = strings.Split(*kinds, ",")
	}
	err = askOverHTTP(ctx, "http://"+server.Addr(), httpLoad{analyzer: an, texts: texts, kinds: mix, clients: *clients, requests: *requests, slowest: *slowest})
	return errors.Join(err, server.Stop(context.WithoutCancel(ctx)), x.Close())
}

// mixedTexts returns texts of three scripts in turn.
func mixedTexts(count int) ([]*news.Article, error) {
	var mixed []*news.Article
	each := make([][]*news.Article, 0, 3)
	for _, lang := range []string{"zh-hans", "zh-hant", "en"} {
		list, err := readTexts(lang, count/3+1)
		if err != nil {
			return nil, err
		}
		each = append(each, list)
	}
	for i := range min(len(each[0]), len(each[1]), len(each[2])) {
		mixed = append(mixed, each[0][i], each[1][i], each[2][i])
	}
	return mixed, nil
}

// fillIndex writes what the index lacks of count articles, ten minutes apart.
func fillIndex(ctx context.Context, x *bleve.Index, texts []*news.Article, count int) error {
	st, err := x.Status(ctx)
	if err != nil {
		return err
	}
	first := int(st.AppliedSeq)
	if first >= count {
		return nil
	}
	start := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	began, before := time.Now(), cpu()
	var ops []bleve.Op
	raw := 0
	for i := first; i < count; i++ {
		a := *texts[i%len(texts)]
		a.ID = fmt.Sprintf("%024x", i*7919)
		a.URL = "https://news.example/" + a.ID
		a.Published = start.Add(time.Duration(i) * 10 * time.Minute)
		a.Fetched = a.Published
		raw += len(a.Title) + len(a.Text)
		data, err := json.Marshal(&a)
		if err != nil {
			return err
		}
		ops = append(ops, bleve.Op{Article: &a, Data: data, Seq: uint64(i + 1), Time: a.Fetched})
		if len(ops) < 500 && i+1 < count {
			continue
		}
		if err := x.Write(ctx, uint64(i+1), ops); err != nil {
			return err
		}
		ops = nil
		if (i+1)%50_000 == 0 {
			fmt.Fprintf(os.Stderr, "%d articles, %.0f s\n", i+1, time.Since(began).Seconds())
		}
	}
	if err := x.Flush(ctx); err != nil {
		return err
	}
	spent := cpu() - before
	figure(fmt.Sprintf("indexing %d to %d articles", first, count), float64(raw)/1e6/spent.Seconds(), "MB/CPU-s", "≥ 1.2, aim 2.0")
	if first == 0 {
		figure(fmt.Sprintf("size at %d articles", count), float64(x.Bytes())/float64(raw), "× raw", "≤ 3.6, aim 2.5")
	}
	return nil
}

// httpLoad is what is asked at a time.
type httpLoad struct {
	analyzer *analysis.Analyzer
	texts    []*news.Article
	kinds    []string
	clients  int
	requests int // of all clients
	slowest  int // how many of them to show
}

// answer is how long the answer to a request took.
type answer struct {
	path string
	took time.Duration
	cpu  time.Duration // of the whole process meanwhile
}

// askOverHTTP prints how long the answers took, by kind and together.
func askOverHTTP(ctx context.Context, base string, l httpLoad) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.clients}, Timeout: time.Minute}
	get := func(path string) (time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s: %.200s", path, res.Status, body)
		}
		return time.Since(start), err
	}
	var (
		mu    sync.Mutex
		took  = make(map[string][]float64)
		cost  = make(map[string]time.Duration) // CPU, of one client
		list  []answer
		fault error
		group sync.WaitGroup
	)
	began, before := time.Now(), cpu()
	for c := range l.clients {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(c), 7))
			for range l.requests / l.clients {
				kind := l.kinds[r.IntN(len(l.kinds))]
				path, busy := request(r, l.analyzer, l.texts, kind), cpu()
				d, err := get(path)
				mu.Lock()
				busy = cpu() - busy
				cost[kind] += busy
				list = append(list, answer{path: path, took: d, cpu: busy})
				took[kind] = append(took[kind], d.Seconds()*1000)
				fault = cmp.Or(fault, err)
				stop := fault != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	if fault != nil {
		return fault
	}
	wall, spent := time.Since(began), cpu()-before
	var all []float64
	for _, kind := range slices.Compact(slices.Clone(l.kinds)) {
		list := took[kind]
		slices.Sort(list)
		target := ""
		if kind == "page" {
			target = "p95 ≤ 50 at 100,000 articles"
		} else {
			all = append(all, list...)
		}
		if len(list) > 0 {
			figure(fmt.Sprintf("%s, %d clients, p50", kind, l.clients), list[len(list)/2], "ms", "")
			figure(fmt.Sprintf("%s, %d clients, p95", kind, l.clients), list[len(list)*95/100], "ms", target)
			figure(fmt.Sprintf("%s, %d clients, p99", kind, l.clients), list[len(list)*99/100], "ms", "")
			if l.clients == 1 {
				figure(fmt.Sprintf("%s, CPU on average", kind), cost[kind].Seconds()*1000/float64(len(list)), "ms", "")
			}
		}
	}
	if slices.Sort(all); len(all) == 0 {
		return nil
	}
	figure(fmt.Sprintf("HTTP searches, %d clients, p50", l.clients), all[len(all)/2], "ms", "")
	figure(fmt.Sprintf("HTTP searches, %d clients, p99", l.clients), all[len(all)*99/100], "ms", "≤ 300, aim 100 at 1,000,000 articles")
	figure("HTTP searches and pages", float64(l.requests)/wall.Seconds(), "/s", "")
	figure("CPU of a search or page", spent.Seconds()*1000/float64(l.requests), "ms", "")
	slices.SortFunc(list, func(a, b answer) int { return cmp.Compare(b.took, a.took) })
	for _, a := range list[:min(l.slowest, len(list))] {
		path, err := url.QueryUnescape(a.path)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s (%s CPU) %s\n", a.took.Round(time.Millisecond), a.cpu.Round(time.Millisecond), path)
	}
	return nil
}

// request makes a request of words that an article has.
func request(r *rand.Rand, an *analysis.Analyzer, texts []*news.Article, kind string) string {
	v := url.Values{"size": {"10"}, "sort": {"relevance"}, "facets": {"source,lang"}}
	switch kind {
	case "phrase":
		v.Set("q", `"`+strings.Join(someWords(r, an, texts, 2), " ")+`"`)
	case "boolean":
		w := slices.Concat(someWords(r, an, texts, 2), someWords(r, an, texts, 1))
		v.Set("q", w[0]+" AND "+w[1]+" NOT "+w[2])
	case "OR":
		var w []string
		for range 4 {
			w = append(w, someWords(r, an, texts, 1)...)
		}
		v.Set("q", strings.Join(w, " OR "))
	case "newest":
		v.Set("q", someWords(r, an, texts, 1)[0])
		v.Set("sort", "newest")
		v.Del("facets")
	default:
		v.Set("q", strings.Join(someWords(r, an, texts, 2), " "))
	}
	if kind == "page" {
		v.Del("facets")
		return "/?" + v.Encode()
	}
	return "/v1/search?" + v.Encode()
}

// someWords returns n words in a row.
func someWords(r *rand.Rand, an *analysis.Analyzer, texts []*news.Article, n int) []string {
	for {
		a := texts[r.IntN(len(texts))]
		var words []string
		for _, t := range an.Words(a.Text) {
			if !t.Part && utf8.RuneCountInString(t.Term) > 1 && !strings.ContainsAny(t.Term, ".'") {
				words = append(words, t.Term)
			}
		}
		if len(words) > n {
			at := r.IntN(len(words) - n)
			return words[at : at+n]
		}
	}
}
