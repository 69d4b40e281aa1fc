package query_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/query"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

func load(t *testing.T) (*query.Evaluator, *lexicon.Lexicon) {
	l, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e, err := query.LoadEvaluator(lexicon.NewStore(l))
	if err != nil {
		t.Fatal(err)
	}
	return e, l
}

// A phrase of Chinese characters is found where the folded text contains it, and
// nowhere else.
func TestChinesePhraseIsASubstring(t *testing.T) {
	e, _ := load(t)
	g := querytest.New(11)
	matched, tested := 0, 0
	for range 400 {
		a := g.Article()
		d := e.Document(a)
		title, text := han.FoldString(a.Title), han.FoldString(a.Text)
		for range 20 {
			runes := []rune(han.FoldString(g.Article().Title))
			if len(runes) == 0 {
				continue
			}
			from := g.IntN(len(runes))
			value := string(runes[from:min(len(runes), from+1+g.IntN(5))])
			if strings.ContainsFunc(value, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
				continue
			}
			c, err := query.Lower(query.Phrase{Value: value}, e.Analyzer(), nil)
			if err != nil {
				t.Fatal(err)
			}
			tested++
			want := strings.Contains(title, value) || strings.Contains(text, value)
			if want {
				matched++
			}
			if got := query.NewMatcher(c).Match(d); got != want {
				t.Fatalf("%q in %q: got %t, want %t", value, a.Content(), got, want)
			}
		}
	}
	if matched < tested/20 || tested < 1000 {
		t.Errorf("%d of %d matched: the generator tests little", matched, tested)
	}
}

// Random trees print as queries that parse to equal trees, and mean the same.
func TestRandomTreesRoundTrip(t *testing.T) {
	e, _ := load(t)
	g := querytest.New(12)
	for range 20 {
		g.Article()
	}
	for range 3000 {
		n := g.Query()
		again, err := query.Parse(n.String())
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		if d := cmp.Diff(n, again); d != "" {
			t.Fatalf("%s: want -, got +:\n%s", n, d)
		}
		if _, err := e.Compile(n); err != nil {
			t.Fatalf("%s: %v", n, err)
		}
	}
}

func TestExpand(t *testing.T) {
	_, l := load(t)
	text := func(s string) query.Node { return query.Text{Value: s} }
	tsmc := query.Entity{Value: "org:tsmc"}
	hynix := query.Entity{Value: "org:sk-hynix"}
	for _, tt := range []struct {
		name, query string
		want        query.Node
	}{
		{"no-name", "涨价", text("涨价")},
		{"name", "台積電", query.Or{Nodes: []query.Node{text("台積電"), tsmc}}},
		{"phrase", `"TSMC"`, query.Or{Nodes: []query.Node{query.Phrase{Value: "TSMC"}, tsmc}}},
		{"not", "-台积电", query.Not{Node: query.Or{Nodes: []query.Node{text("台积电"), tsmc}}}},
		{"or", "台积电 OR 涨价", query.Or{Nodes: []query.Node{text("台积电"), tsmc, text("涨价")}}},
		{"name-in-two-words", "SK hynix 涨价", query.And{Nodes: []query.Node{
			query.Or{Nodes: []query.Node{query.And{Nodes: []query.Node{
				query.Or{Nodes: []query.Node{text("SK"), query.Entity{Value: "org:sk"}}},
				query.Or{Nodes: []query.Node{text("hynix"), hynix}},
			}}, hynix}}, text("涨价"),
		}}},
		{"near", "台积电 NEAR/5 涨价", query.Near{
			Distance: 5, Left: query.Or{Nodes: []query.Node{text("台积电"), tsmc}}, Right: text("涨价"),
		}},
		{"number", "2330", text("2330")},
		{"prefix", "台积*", query.Prefix{Value: "台积"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := query.Parse(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got := query.Expand(n, l)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
			again, err := query.Parse(got.String())
			if err != nil || !cmp.Equal(got, again) {
				t.Errorf("%s does not round-trip: %v", got, err)
			}
		})
	}
	t.Run("field", func(t *testing.T) {
		or, ok := query.Expand(query.Text{Field: "title", Value: "英伟达"}, l).(query.Or)
		if !ok {
			t.Fatal("got no alternatives")
		}
		for _, n := range or.Nodes {
			if p, ok := n.(query.Phrase); ok && p.Field == "title" && p.Value == "NVIDIA" {
				return
			}
		}
		t.Errorf("got %s, want NVIDIA among the titles", or)
	})
}

func FuzzMatch(f *testing.F) {
	l, err := lexicon.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	e, err := query.LoadEvaluator(lexicon.NewStore(l))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("台积电 NEAR/5 涨价* -“A股”", "台積電A股漲價")
	f.Add("ɽ22½606", "½")
	f.Add("RTX 5090's 1,000*", "RTX5090 的 1,000")
	f.Fuzz(func(t *testing.T, q, text string) {
		a := querytest.New(1).Article()
		a.Title, a.Text, a.Mentions = text, q+text, nil
		d := e.Document(a)
		nodes := []query.Node{query.Plain(q)}
		if n, err := query.Parse(q); err == nil {
			nodes = append(nodes, n)
		}
		for _, n := range nodes {
			m, err := e.Compile(n)
			if err != nil {
				continue
			}
			content := []rune(a.Content())
			for _, s := range m.Explain(d) {
				if s.Start < 0 || s.End > len(content) || s.Start >= s.End {
					t.Fatalf("%s: span %+v is outside the content", n, s)
				}
			}
		}
	})
}
