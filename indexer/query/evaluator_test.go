package query

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/lexicon"
)

var builtin = sync.OnceValue(func() *Evaluator {
	l, err := lexicon.Builtin()
	if err != nil {
		panic(err)
	}
	e, err := LoadEvaluator(lexicon.NewStore(l))
	if err != nil {
		panic(err)
	}
	return e
})

// article is the article that the cases below are about.
var article = &news.Article{
	Version: 1, ID: "a1", URL: "https://news.example/a?id=1", Source: "demo-wire",
	Title: "台積電宣布先進封裝漲價",
	Text: "台積電週四表示，CoWoS報價將上調約10%。分析師認為，SK 海力士的HBM3E記憶體供不應求。\n" +
		"NVIDIA執行長黃仁勳說：「需求非常強勁。」南京東路的A股投資人認為芯片荒漠化是誤會。",
	Lang: "zh", Script: news.ScriptHant,
	Authors: []string{"王 小明"}, Credit: "示範通訊社",
	Published: time.Date(2025, 11, 17, 2, 0, 0, 0, time.UTC),
	Fetched:   time.Date(2025, 11, 17, 3, 0, 0, 0, time.UTC),
}

// mention marks the first place of surface in a's content as entity.
func mention(a *news.Article, surface, entity string) {
	content := a.Content()
	i := strings.Index(content, surface)
	start := len([]rune(content[:i]))
	kind, _, _ := strings.Cut(entity, ":")
	a.Mentions = append(a.Mentions, news.Mention{
		Start: start, End: start + len([]rune(surface)), Surface: surface, Kind: news.Kind(kind), Entity: entity, Score: 1,
	})
}

func init() {
	mention(article, "台積電", "org:tsmc")
	mention(article, "CoWoS", "tech:cowos")
	mention(article, "SK 海力士", "org:sk-hynix")
	mention(article, "NVIDIA", "org:nvidia")
	mention(article, "黃仁勳", "person:jensen-huang")
}

func TestMatch(t *testing.T) {
	e := builtin()
	d := e.Document(article)
	for _, tt := range []struct {
		query string
		want  bool
	}{
		{"", true},
		{"*", true},
		{"NOT *", false},
		// Words in every script.
		{"台积电", true},
		{"台積電", true},
		{"涨价", true},
		{"台积电涨价", true},
		{"台积电降价", false},
		{"台积电的涨价", true},
		{"黄仁勋", true},
		{"仁勋黄", false},
		{"nvidia", true},
		{"ＮＶＩＤＩＡ", true},
		{"nvid", false},
		{"hbm3e", true},
		{"HBM", true},
		{"HBM3", false},
		{`"HBM 3E"`, true},
		{"海力士HBM3E", true},
		{"10%", true},
		{"京东", true}, // as written, inside 南京东路
		{"芯片荒", true},
		{"荒芯片", false},
		{"荒", true},
		{"A股", true},
		{"B股", false},
		{"SK海力士", true},
		{"海力士SK", true},
		{"SK-hbm3e", false}, // both are there, but not together
		{"hbm3e sk", true},
		{"sk hynix", true}, // by its name
		// Names of entities.
		{"辉达", true},
		{"輝達", true},
		{"英伟达", true},
		{"英偉達", true},
		{"tsmc", true},
		{"三星", false},
		{"entity:tsmc", true},
		{"entity:输达", false},
		{"entity:三星", false},
		{"entity:org:nosuch", false},
		{"NOT 英伟达", false},
		// Operators.
		{"台积电 AND 涨价", true},
		{"台积电 三星", false},
		{"台积电 OR 三星", true},
		{"台积电 -三星", true},
		{"台积电 -涨价", false},
		{"-三星", true},
		{"(三星 OR 台积电) (降价 OR 涨价)", true},
		// Phrases.
		{`"先进封装涨价"`, true},
		{`"先进 封装 涨价"`, true},
		{`"封装先进"`, false},
		{`"上调约10"`, true},
		{`"认为，SK海力士"`, true},
		{`"封装涨价 台积电"`, false}, // not from title to text
		{`"NVIDIA执行长"`, true},
		{`"A股"`, true},
		{`"A股 投资人"`, true},
		{`"路的A股"`, true},
		{`"的A"`, true},
		{`"股"`, true},
		{`"执行长黄"`, true},
		// Prefixes.
		{"nvid*", true},
		{"nvix*", false},
		{"hbm*", true},
		{"封*", true},
		{"封装涨*", true},
		{"封涨*", false},
		// Fields.
		{"title:涨价", true},
		{"text:涨价", false},
		{"title:nvidia", false},
		{"text:英伟达", true},
		{"title:(台积电 涨价)", true},
		{"title:(台积电 OR 三星) text:hbm3e", true},
		{"lang:zh", true},
		{"lang:en", false},
		{"lang:zh-Hant", true},
		{"lang:zh-Hans", false},
		{"script:Hant", true},
		{"source:demo-wire", true},
		{"source:Demo-Wire", true},
		{"source:demo", false},
		{"id:a1", true},
		{"url:https://news.example/a?id=1", true},
		{"url:https://NEWS.example:443/a?id=1&utm_source=x", true},
		{`author:"王 小明"`, true},
		{"credit:示范通讯社", true},
		{"kind:person", true},
		{"kind:place", false},
		// Times.
		{"published:2025-11-17", true},
		{"published:2025-11-16", false},
		{"published:2025-11-01..2025-11-17", true},
		{"published:2025-11-17T02:00..", true},
		{"published:..2025-11-17T02:00Z", false},
		{"fetched:>=2025-11-17T03:00:00Z", true},
		{"fetched:<2025-11-17T03:00:00Z", false},
		// Near.
		{"CoWoS NEAR/3 上调", true},
		{"上调 NEAR/3 CoWoS", true},
		{"CoWoS NEAR/2 上调", false},
		{"台积电 NEAR/6 涨价", true},
		{"台积电 NEAR/5 涨价", false},
		{"entity:tsmc NEAR/6 涨价", true},
		{"(三星 OR 英伟达) NEAR/3 黄仁勋", true},
		{"title:台积电 NEAR/6 涨价", true},
		{"text:台积电 NEAR/10 涨价", false},
		{"台积电 NEAR/0 宣布", true},
		{"台积 NEAR/5 积电", false}, // they overlap
		{"nvid* NEAR/3 黄仁勋", true},
	} {
		t.Run(tt.query, func(t *testing.T) {
			n, err := Parse(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			m, err := e.Compile(n)
			if err != nil {
				if tt.query == "entity:输达" {
					return // unknown to the lexicon
				}
				t.Fatal(err)
			}
			if got := m.Match(d); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
			if spans := m.Explain(d); !tt.want && spans != nil {
				t.Errorf("got spans %v of what does not match", spans)
			}
		})
	}
}

func TestExplainShowsTheOriginal(t *testing.T) {
	e := builtin()
	d := e.Document(article)
	content := []rune(article.Content())
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"涨价", []string{"漲價"}},
		{"辉达", []string{"NVIDIA"}},
		{"海力士 hbm", []string{"SK 海力士", "HBM"}},
		{`"SK海力士的HBM3E"`, []string{"SK 海力士的HBM3E"}},
		{"CoWoS NEAR/3 上调", []string{"CoWoS", "上調"}},
		{"台积电 -三星 lang:zh", []string{"台積電", "台積電"}},
		{"荒*", []string{"荒"}},
		{"lang:zh", nil},
	} {
		t.Run(tt.query, func(t *testing.T) {
			n, err := Parse(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			m, err := e.Compile(n)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range m.Explain(d) {
				if string(content[s.Start:s.End]) != s.Text || s.Clause == "" {
					t.Errorf("span %+v is %q in the content", s, string(content[s.Start:s.End]))
				}
				got = append(got, s.Text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// A text found in an article as it is written must match, however the two are
// cut into words.
func TestWhatIsWrittenIsFound(t *testing.T) {
	e := builtin()
	d := e.Document(article)
	for _, text := range []string{article.Title, article.Text} {
		runes := []rune(text)
		for from := range runes {
			for to := from + 1; to <= min(from+12, len(runes)); to++ {
				part := string(runes[from:to])
				if !wordy(part) || strings.ContainsAny(part, " \n") || cutsWord(runes, from) || cutsWord(runes, to) {
					continue
				}
				for _, n := range []Node{Text{Value: part}, Phrase{Value: part}} {
					m, err := e.Compile(n)
					if err != nil {
						t.Fatal(err)
					}
					if !m.Match(d) {
						t.Fatalf("%#v does not match", n)
					}
				}
			}
		}
	}
}

// cutsWord says that runes[i-1] and runes[i] belong to one Latin word or number.
func cutsWord(runes []rune, i int) bool {
	return i > 0 && i < len(runes) && runes[i-1] < 0x80 && runes[i] < 0x80 && runes[i-1] != '%' && runes[i] != '%'
}

func TestCompileRefusesUnknownEntities(t *testing.T) {
	if _, err := builtin().Compile(Entity{"no such thing"}); err == nil {
		t.Error("got no error, want one")
	}
	_, err := builtin().Parse("a entity:nosuchthing", nil)
	var e *SyntaxError
	if !errors.As(err, &e) || e.Column != 10 {
		t.Errorf("got %v, want a syntax error in column 10", err)
	}
}

func BenchmarkDocument(b *testing.B) {
	e := builtin()
	b.SetBytes(int64(len(article.Title) + len(article.Text)))
	b.ReportAllocs()
	for b.Loop() {
		e.Document(article)
	}
}

func BenchmarkMatch(b *testing.B) {
	e := builtin()
	d := e.Document(article)
	for _, q := range []string{"台积电", "三星 OR 美光", `"先进封装涨价"`, "entity:tsmc NEAR/6 涨价"} {
		m, err := e.Compile(mustParse(q))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				m.Match(d)
			}
		})
	}
}
