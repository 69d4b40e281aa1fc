package keyword

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/entity"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// gazetteer is the one of all tests.
var gazetteer = sync.OnceValues(func() (*entity.Gazetteer, error) {
	lex, err := lexicon.Builtin()
	if err != nil {
		return nil, err
	}
	return entity.New(lex), nil
})

func keywords(t testing.TB, lang, title, text string) []string {
	t.Helper()
	g, err := gazetteer()
	if err != nil {
		t.Fatal(err)
	}
	a := &news.Article{Lang: lang, Title: title, Text: text}
	a.Mentions = g.Annotate(a.Content(), entity.Context{Lang: lang})
	return Of(a)
}

func TestNamesAndRareTermsAreKeywords(t *testing.T) {
	hans := keywords(t, "zh", "台积电谈CoWoS产能", "台积电昨天说，CoWoS产能明年翻倍。公司认为，粘合剂缺货最难办，粘合剂供应商正在扩建厂房。公司没有说明公司的客户，芯片和芯片价格也没有谈。")
	for _, want := range []string{"台积电", "CoWoS", "粘合剂"} {
		if !slices.Contains(hans, want) {
			t.Errorf("got %q, want %s among them", hans, want)
		}
	}
	for _, w := range []string{"公司", "芯片"} {
		if slices.Contains(hans, w) {
			t.Errorf("got %q, and %s sets nothing apart", hans, w)
		}
	}
	en := keywords(t, "en", "Micron warns of helium shortage", "Micron said on Monday that a helium shortage may last. Substrate yields were fine, substrate prices were not.\nThe shortage began when a pipeline broke, and the company and other companies have little in store.")
	for _, want := range []string{"Micron", "shortage"} {
		if !slices.ContainsFunc(en, func(k string) bool { return strings.Contains(k, want) }) {
			t.Errorf("got %q, want %s among them", en, want)
		}
	}
}

func TestKeywordsAreTheSameEachTime(t *testing.T) {
	text := strings.Repeat("硅光模块与共封装光学成为焦点，交换机厂商加速导入硅光模块。Broadcom and Nvidia ship switches with optics. ", 3)
	want := keywords(t, "zh", "硅光模块升温", text)
	for range 5 {
		if diff := cmp.Diff(keywords(t, "zh", "硅光模块升温", text), want); diff != "" {
			t.Fatalf("keywords differ (-got +want):\n%s", diff)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("标题", "正文 text, 载板与载板。", 1, 3)
	f.Fuzz(func(t *testing.T, title, text string, start, end int) {
		a := &news.Article{Title: title, Text: text}
		if start >= 0 && end > start && end < 1<<20 {
			a.Mentions = []news.Mention{{Start: start, End: end, Surface: "x", Kind: news.Org, Entity: "org:x"}}
		}
		for _, k := range Of(a) {
			if utf8.ValidString(a.Content()) && k != "x" && !strings.Contains(a.Content(), k) {
				t.Errorf("keyword %q is not in the article", k)
			}
		}
	})
}
