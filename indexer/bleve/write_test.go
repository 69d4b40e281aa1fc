package bleve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// message is one of a stream: an article's revision or its tombstone.
type message struct {
	seq     uint64
	article *news.Article
}

// messages returns a stream about a few articles in many revisions, some of
// them deletions and some with the same revision number but other content.
func messages(g *querytest.Generator, articles, revisions int) []message {
	var list []message
	for i := range articles * revisions {
		a := *g.Article()
		a.ID = fmt.Sprintf("article%d", g.IntN(articles))
		a.Revision = int64(g.IntN(revisions * 2))
		a.Deleted = g.IntN(6) == 0
		list = append(list, message{uint64(i + 1), &a})
	}
	return list
}

// contents is all that a search can see of an index.
type contents struct {
	Docs   uint64
	Tokens map[string]uint64
	Hits   []search.Hit
	Scores map[string]string
}

func read(t *testing.T, x *Index, queries []query.Node) contents {
	t.Helper()
	st, err := x.state()
	if err != nil {
		t.Fatal(err)
	}
	c := contents{Docs: st.Docs, Tokens: st.Tokens, Scores: make(map[string]string)}
	for r := (search.Request{Size: search.MaxSize}); ; {
		res, err := x.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if res.Total != st.Docs {
			t.Errorf("total %d, want %d", res.Total, st.Docs)
		}
		for _, h := range res.Hits {
			h.Story = "" // depends on the order
			c.Hits = append(c.Hits, h)
		}
		if r.Cursor = res.NextCursor; r.Cursor == "" {
			break
		}
	}
	for _, q := range queries {
		res, err := x.Search(t.Context(), search.Request{Query: q.String(), Size: 20, Sort: search.SortRelevance})
		if err != nil {
			t.Fatalf("query %s: %v", q, err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%d", res.Total)
		for _, h := range res.Hits {
			fmt.Fprintf(&b, " %s %.12g", h.ID, h.Score)
		}
		c.Scores[q.String()] = b.String()
	}
	return c
}

// TestAnyOrderGivesTheSameIndex writes one stream in many orders, with messages
// repeated and batches cut anywhere, and expects the same index each time.
func TestAnyOrderGivesTheSameIndex(t *testing.T) {
	g := querytest.New(7)
	stream := messages(g, 25, 6)
	var queries []query.Node
	for len(queries) < 15 {
		if q := g.Query(); len(plan.Positive(q)) > 0 {
			queries = append(queries, q)
		}
	}
	var want contents
	for round := range 5 {
		r := rand.New(rand.NewPCG(uint64(round), 1))
		order := slices.Clone(stream)
		if round > 0 {
			for range len(stream) / 2 {
				order = append(order, stream[r.IntN(len(stream))])
			}
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		x := openTest(t, t.TempDir())
		for len(order) > 0 {
			n := min(1+r.IntN(40), len(order))
			ops := make([]Op, n)
			var seq uint64
			for i, m := range order[:n] {
				ops[i] = testOp(t, m.article)
				seq = max(seq, m.seq)
			}
			if err := x.Write(t.Context(), seq, ops); err != nil {
				t.Fatal(err)
			}
			order = order[n:]
		}
		got := read(t, x, queries)
		if round == 0 {
			want = got
			if want.Docs == 0 || want.Docs == 25 {
				t.Fatalf("got %d articles: the stream tests no deletions", want.Docs)
			}
			continue
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Fatalf("order %d gives another index (-got +want):\n%s", round, diff)
		}
		if seq, err := x.AppliedSeq(); err != nil || seq != uint64(len(stream)) {
			t.Errorf("applied_seq: got %d, %v, want %d", seq, err, len(stream))
		}
	}
}

// TestAverageLengthIsTokensOverArticles holds what a score was made with to the
// analysis of the articles that are there: after additions, revisions,
// deletions and merges.
func TestAverageLengthIsTokensOverArticles(t *testing.T) {
	x := openTest(t, t.TempDir())
	g := querytest.New(3)
	live := make(map[string]*news.Article)
	const word = "unmistakable"
	seq := uint64(0)
	for round := range 40 {
		var batch []*news.Article
		for i := range 20 {
			a := *g.Article()
			a.ID = fmt.Sprintf("article%d", (round*7+i)%100)
			a.Revision = int64(round + 1)
			a.Text += " " + word
			a.Deleted = g.IntN(5) == 0
			batch = append(batch, &a)
			if live[a.ID] = &a; a.Deleted {
				delete(live, a.ID)
			}
		}
		seq++
		write(t, x, seq, batch...)
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens := make(map[string]int)
	for _, a := range live {
		tokens[fieldWords] += len(x.analyzer.Words(a.Title)) + len(x.analyzer.Words(a.Text))
		tokens[fieldGrams] += len(x.analyzer.Bigrams(a.Title)) + len(x.analyzer.Bigrams(a.Text))
		tokens[fieldTitleWords] += len(x.analyzer.Words(a.Title))
		tokens[fieldTitleGrams] += len(x.analyzer.Bigrams(a.Title))
	}
	s, err := x.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if s.state.Docs != uint64(len(live)) {
		t.Errorf("articles: got %d, want %d", s.state.Docs, len(live))
	}
	for field, want := range tokens {
		if got := s.state.Tokens[field]; got != uint64(want) {
			t.Errorf("tokens of %s: got %d, want %d", field, got, want)
		}
	}
	k, err := x.ranker(s, query.Text{Value: word}, query.Expansion{Lexicon: x.planner.Lexicon.Current()})
	if err != nil {
		t.Fatal(err)
	}
	average := k.groups[0].terms[0].average
	if want := float64(tokens[fieldGrams]) / float64(len(live)); average != want {
		t.Errorf("average length: got %v, want %v", average, want)
	}
	res, err := x.Search(t.Context(), search.Request{Query: word, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	if res.Total != uint64(len(live)) {
		t.Errorf("total: got %d, want %d", res.Total, len(live))
	}
	h := res.Hits[0]
	message := h.Explanation.Parts[0].Parts[0].Message
	if want := fmt.Sprintf("average length=%.4f", average); !strings.Contains(message, want) {
		t.Errorf("explanation %q does not say %q", message, want)
	}
	// The score by hand: a term that all have, of a known length.
	a := live[h.ID]
	n, df := float64(len(live)), float64(len(live))
	idf := math.Log(1 + (n-df+0.5)/(df+0.5))
	length := float64(len(x.analyzer.Bigrams(a.Title)) + len(x.analyzer.Bigrams(a.Text)))
	want := idf * 2.2 / (1 + 1.2*(0.25+0.75*length/average))
	if got := h.Explanation.Parts[0].Value; math.Abs(got-want) > 1e-9 {
		t.Errorf("score of the words: got %v, want %v", got, want)
	}
}

// TestPhrasesOutliveMerges reads phrases after many small batches have been
// merged into few segments.
func TestPhrasesOutliveMerges(t *testing.T) {
	x := openTest(t, t.TempDir())
	const articles = 120
	for i := range articles {
		write(t, x, uint64(i+1), &news.Article{
			Version: news.Version, ID: fmt.Sprintf("article%d", i), Revision: 1, Lang: "zh", Script: news.ScriptHans,
			Title: "晶圆厂", Text: fmt.Sprintf("第%d座晶圆厂的先进封装产能翻倍", i),
		})
	}
	if err := x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]uint64{`"先进封装产能"`: articles, `"产能先进"`: 0, "晶圆厂 NEAR/3 先进封装": articles, "text:晶圆厂": articles} {
		res, err := x.Search(t.Context(), search.Request{Query: q, Match: search.MatchAll})
		if err != nil || res.Total != want {
			t.Errorf("%s: got %+v, %v, want %d", q, res, err, want)
		}
	}
}
