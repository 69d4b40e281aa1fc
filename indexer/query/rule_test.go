package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/lexicon"
)

// mentioning returns an article with the mentions of names, each wherever it
// stands.
func mentioning(title, text string, names map[string]string) *news.Article {
	a := &news.Article{ID: "a", Lang: "zh", Script: news.ScriptHans, Source: "demo", Title: title, Text: text}
	content := []rune(a.Content())
	for name, id := range names {
		n := []rune(name)
		for i := 0; i+len(n) <= len(content); i++ {
			if string(content[i:i+len(n)]) == name {
				a.Mentions = append(a.Mentions, news.Mention{Start: i, End: i + len(n), Surface: name, Entity: id})
			}
		}
	}
	return a
}

func ruleEvaluator(t *testing.T) *Evaluator {
	t.Helper()
	l, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e, err := LoadEvaluator(lexicon.NewStore(l))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRuleConditionsOfOneArticle(t *testing.T) {
	e := ruleEvaluator(t)
	names := map[string]string{"台积电": "org:tsmc", "TSMC": "org:tsmc", "三星": "org:samsung-electronics", "Samsung": "org:samsung-electronics"}
	one := mentioning("代工", "台积电与三星竞争。", names)
	two := mentioning("代工", "台积电涨价。三星观望。", names)
	english := mentioning("Foundry", "TSMC raised prices by 3.5 percent over Samsung, Mr. Lee said.", names)
	english.Lang, english.Script = "en", news.ScriptLatn
	samsung := "org:samsung-electronics"
	if ids := e.EntityIDs("三星"); len(ids) > 0 {
		samsung = ids[0]
	}
	for _, a := range []*news.Article{one, two, english} {
		for i := range a.Mentions {
			if a.Mentions[i].Entity == "org:samsung-electronics" {
				a.Mentions[i].Entity = samsung
			}
		}
	}
	both := &news.Together{Entities: []string{"org:tsmc", samsung}}
	sentence := &news.Together{Entities: both.Entities, Within: news.WithinSentence}
	for _, tc := range []struct {
		name string
		rule news.Rule
		want [3]bool // one, two, english
	}{
		{"query", news.Rule{Query: "涨价"}, [3]bool{false, true, false}},
		{"language", news.Rule{Query: "entity:tsmc", Languages: []string{"zh-Hans"}}, [3]bool{true, true, false}},
		{"languages", news.Rule{Query: "entity:tsmc", Languages: []string{"zh-Hans", "en"}}, [3]bool{true, true, true}},
		{"source", news.Rule{Query: "entity:tsmc", Sources: []string{"other"}}, [3]bool{}},
		{"article", news.Rule{Together: both}, [3]bool{true, true, true}},
		{"sentence", news.Rule{Together: sentence}, [3]bool{true, false, true}},
		{"sentence_and_query", news.Rule{Query: "竞争", Together: sentence}, [3]bool{true, false, false}},
		{"or_stays_whole", news.Rule{Query: "涨价 OR prices", Languages: []string{"en"}}, [3]bool{false, false, true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := e.CompileRule(&tc.rule)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range []*news.Article{one, two, english} {
				if got := m.Match(e.Document(a)); got != tc.want[i] {
					t.Errorf("article %d: got %t, want %t", i, got, tc.want[i])
				}
			}
		})
	}
	var syntax *SyntaxError
	if _, err := e.CompileRule(&news.Rule{Together: &news.Together{Entities: []string{"nosuch"}}}); !errors.As(err, &syntax) {
		t.Errorf("got %v, want a syntax error", err)
	}
}

func TestSentencesAreTheText(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"台积电涨价。三星观望", []string{"台积电涨价。", "三星观望"}},
		{"Up 3.5 percent. J. Huang of Nvidia Corp. said so. End.", []string{"Up 3.5 percent.", " J. Huang of Nvidia Corp. said so.", " End."}},
		{"a\n\nb", []string{"a\n", "\n", "b"}},
	} {
		got := sentences(tc.in)
		if d := cmp.Diff(tc.want, got); d != "" || strings.Join(got, "") != tc.in {
			t.Errorf("%q: want -, got +:\n%s", tc.in, d)
		}
	}
}

func TestJudgeTellsEachPart(t *testing.T) {
	e := ruleEvaluator(t)
	n, err := e.RuleNode(&news.Rule{Query: "涨价 AND (内存 OR 闪存) -手机", Languages: []string{"zh"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Judge(n, e.Document(&news.Article{Title: "内存涨价", Text: "手机厂商观望", Lang: "zh"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(Verdict)
	walk = func(v Verdict) {
		mark := "-"
		if v.Holds {
			mark = "+"
		}
		got = append(got, mark+v.Clause)
		for _, p := range v.Parts {
			walk(p)
		}
	}
	walk(v)
	want := []string{
		"-涨价 AND (内存 OR 闪存) AND NOT 手机 AND lang:zh",
		"+涨价", "+内存 OR 闪存", "+内存", "-闪存", "-NOT 手机", "+手机", "+lang:zh",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
	if len(v.Parts[0].Spans) != 1 || v.Parts[0].Spans[0].Text != "涨价" {
		t.Errorf("got %v, want where 涨价 stands", v.Parts[0].Spans)
	}
}
