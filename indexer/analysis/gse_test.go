package analysis

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ego/gse"

	"xinwen/news/han"
)

// sample is writing of our own for tests of segmentation.
const sample = `台积电周四表示，受人工智能芯片需求强劲带动，第三季度净利润同比增长近四成，创下历史新高。
公司预计全年资本支出将达到四百亿美元上限，其中约七成用于先进制程，其余投向成熟制程与先进封装。
分析师认为，存储芯片价格上涨的趋势至少会持续到明年上半年，终端厂商已经开始与供应商谈判长期协议。
中国大陆多家晶圆厂的产能利用率回升到九成以上，设备国产化的进度快于市场此前的预期。
一名不愿具名的工程师说，良率的提升比想象中困难，主要问题出在刻蚀与薄膜沉积之间的衔接。
研究生命的起源，结婚的和尚未结婚的，他说的确实在理，南京市长江大桥，今日本公司宣布裁员。`

func loadGse(t testing.TB) *gse.Segmenter {
	seg := &gse.Segmenter{SkipLog: true, NotLoadHMM: true}
	if err := seg.LoadDictEmbed("zh_s"); err != nil {
		t.Fatal(err)
	}
	return seg
}

func TestSegmentationAgreesWithGse(t *testing.T) {
	if testing.Short() {
		t.Skip("loading gse takes seconds")
	}
	seg := loadGse(t)
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(sample, "\n")
	texts = append(texts, corpus(t, "news-zh-hans.jsonl.gz", 150)...)
	texts = append(texts, corpus(t, "news-zh-hant.jsonl.gz", 150)...)
	runs, agree, words := 0, 0, 0
	for _, s := range texts {
		s = han.FoldString(s)
		for u := a.classes.nextUnit(s, 0); u.end > 0; u = a.classes.nextUnit(s, u.end) {
			if !u.ideographs {
				continue
			}
			run := s[u.start:u.end]
			want := strings.Join(seg.Cut(run, false), " ")
			got := show(a.Words(run))
			runs++
			words += strings.Count(want, " ") + 1
			if got == want {
				agree++
			} else if runs-agree <= 5 {
				t.Logf("got %s, gse has %s", got, want)
			}
		}
	}
	t.Logf("%d of %d runs (%d words) are cut as gse cuts them", agree, runs, words)
	if float64(agree) < 0.998*float64(runs) {
		t.Errorf("got %d of %d runs as gse cuts them, want 99.8 %%", agree, runs)
	}
}

func TestWordListIsGses(t *testing.T) {
	if testing.Short() {
		t.Skip("loading gse takes seconds")
	}
	seg := loadGse(t)
	d, err := loadDict()
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for i := range seg.Dict.Tokens {
		node := uint32(0)
		for _, r := range han.FoldString(seg.Dict.Tokens[i].Text()) {
			if node = d.next(node, r); node == 0 {
				break
			}
		}
		if d.weights[node] == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d words of gse are missing: run go generate", missing)
	}
}

// corpus returns the text of up to n real articles, none where the data is not
// there.
func corpus(t testing.TB, name string, n int) []string {
	f, err := os.Open(filepath.Join("../../../shared/data/corpora", name))
	if err != nil {
		t.Logf("without %s: the data folder is not there", name)
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for len(texts) < n && lines.Scan() {
		var article struct{ Title, Text string }
		if err := json.Unmarshal(lines.Bytes(), &article); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, article.Title+"\n"+article.Text)
	}
	return texts
}

func BenchmarkWords(b *testing.B) { benchmark(b, (*Analyzer).AppendWords) }

func BenchmarkBigrams(b *testing.B) { benchmark(b, (*Analyzer).AppendBigrams) }

func benchmark(b *testing.B, tokens func(*Analyzer, []Token, string) []Token) {
	texts := corpus(b, "news-zh-hans.jsonl.gz", 200)
	if len(texts) == 0 {
		texts = []string{strings.Repeat(sample, 20)}
	}
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	a := builtin()
	var dst []Token
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, s := range texts {
			dst = tokens(a, dst[:0], s)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGse is what gse itself takes, for comparison.
func BenchmarkGse(b *testing.B) {
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			loadGse(b)
		}
	})
	b.Run("cut", func(b *testing.B) {
		seg := loadGse(b)
		s := han.FoldString(strings.Repeat(sample, 20))
		b.SetBytes(int64(len(s)))
		for b.Loop() {
			seg.Cut(s, false)
		}
	})
}
