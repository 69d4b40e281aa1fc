//go:build unix

package percolate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/query"
	"xinwen/news"
)

// corpus returns up to n real articles, or made-up ones where the data is not
// there.
func corpus(b *testing.B, n int) []*news.Article {
	var list []*news.Article
	f, err := os.Open(filepath.Join("../../../shared/data/corpora/news-zh-hans.jsonl.gz"))
	if err != nil {
		g := querytest.New(2)
		for range n {
			list = append(list, g.Article())
		}
		return list
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for len(list) < n && lines.Scan() {
		a := &news.Article{ID: fmt.Sprint(len(list)), Lang: "zh"}
		if err := json.Unmarshal(lines.Bytes(), a); err != nil {
			continue
		}
		list = append(list, a)
	}
	return list
}

// leaves returns words of the articles: four of five stand in at most one in
// fifty of them.
func leaves(articles []*news.Article) (rare, common []string) {
	df := make(map[string]int)
	for _, a := range articles {
		seen := make(map[string]bool)
		for _, t := range evaluator().Analyzer().Words(a.Text) {
			if n := utf8.RuneCountInString(t.Term); n >= 2 && n <= 8 && !seen[t.Term] {
				seen[t.Term] = true
				df[t.Term]++
			}
		}
	}
	for w, n := range df {
		if n*50 <= len(articles) {
			rare = append(rare, w)
		} else {
			common = append(common, w)
		}
	}
	return rare, common
}

// BenchmarkMatch is the CPU time of one article, analysis included, with rules
// of the usual forms.
func BenchmarkMatch(b *testing.B) {
	articles := corpus(b, 600)
	rare, common := leaves(articles)
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := rand.New(rand.NewPCG(3, 4))
			leaf := func() string {
				if g.IntN(5) > 0 {
					return rare[g.IntN(len(rare))]
				}
				return common[g.IntN(len(common))]
			}
			any := func(k int) string {
				parts := make([]string, k)
				for i := range parts {
					parts[i] = leaf()
				}
				return "(" + strings.Join(parts, " OR ") + ")"
			}
			before := heap()
			rules := compileAll(b, n, func() string {
				switch k := g.IntN(100); {
				case k < 20:
					return leaf()
				case k < 50:
					return any(3) + " " + any(2)
				case k < 70:
					return leaf() + " " + leaf() + " -" + leaf()
				case k < 85:
					return any(8)
				}
				return leaf() + " " + leaf() + " " + leaf()
			})
			made := cpu()
			set := NewRules(rules)
			made = cpu() - made
			size := heap() - before
			matched, tested, i := 0, 0, 0
			began := cpu()
			for b.Loop() {
				d := evaluator().Document(articles[i%len(articles)])
				tested += set.Match(d, func(*Rule) { matched++ })
				i++
			}
			b.ReportMetric(float64((cpu()-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(tested)/float64(b.N), "tested/op")
			b.ReportMetric(float64(matched)/float64(b.N), "matched/op")
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(float64(made.Microseconds())/1000, "set-cpu-ms")
			runtime.KeepAlive(set)
		})
	}
	b.Run("analysis", func(b *testing.B) {
		var d *query.Document
		i := 0
		began := cpu()
		for b.Loop() {
			d = evaluator().Document(articles[i%len(articles)])
			i++
		}
		b.ReportMetric(float64((cpu()-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		runtime.KeepAlive(d)
	})
}

// cpu returns the CPU time of the process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// compileAll compiles n rules that share their leaves.
func compileAll(b *testing.B, n int, write func() string) []*Rule {
	b.Helper()
	leaves := query.NewLeaves()
	rules := make([]*Rule, n)
	for i := range rules {
		r, err := Compile(news.Rule{ID: fmt.Sprint(i), Query: write()}, evaluator(), leaves)
		if err != nil {
			b.Fatal(err)
		}
		rules[i] = r
	}
	return rules
}
