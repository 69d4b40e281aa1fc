package bleve

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
	"xinwen/news"
)

// quakes are articles of our own about three events, with what they mention.
func quakes() []*news.Article {
	start := time.Date(2026, 2, 9, 0, 0, 0, 0, time.UTC)
	mention := func(id, value string, kind news.Kind) news.Mention {
		return news.Mention{Start: 0, End: 1, Kind: kind, Entity: id, Value: value}
	}
	list := []*news.Article{
		{ID: "quake-hant", Lang: "zh", Script: news.ScriptHant, Source: "tw", Title: "嘉義地震 台積電疏散部分廠區", Text: "嘉義深夜發生地震，台積電表示部分廠區人員預防性疏散，晶圓報廢數量仍在清點。", Mentions: []news.Mention{mention("org:tsmc", "", news.Org), mention("place:chiayi", "", news.Place)}},
		{ID: "quake-hans", Lang: "zh", Script: news.ScriptHans, Source: "cn", Title: "嘉义地震 台积电部分厂区疏散", Text: "嘉义深夜发生地震，台积电称部分厂区预防性疏散，报废晶圆数量正在统计。", Mentions: []news.Mention{mention("org:tsmc", "", news.Org), mention("place:chiayi", "", news.Place)}},
		{ID: "deal-en", Lang: "en", Script: news.ScriptLatn, Source: "us", Title: "SiTime to buy Renesas timing business", Text: "SiTime has agreed to acquire the timing unit of Renesas for $1.5 billion.", Mentions: []news.Mention{mention("org:renesas", "", news.Org), mention("org:sitime", "", news.Org), mention("", "USD 1500000000", news.Money)}},
		{ID: "quake-en", Lang: "en", Script: news.ScriptLatn, Source: "us", Title: "TSMC evacuates fabs after Chiayi quake", Text: "An earthquake struck Chiayi. TSMC moved staff out of some buildings and counts scrapped wafers.", Mentions: []news.Mention{mention("org:tsmc", "", news.Org), mention("place:chiayi", "", news.Place)}},
		{ID: "deal-hans", Lang: "zh", Script: news.ScriptHans, Source: "cn", Title: "SiTime收购瑞萨时钟业务", Text: "SiTime宣布以15亿美元收购瑞萨电子的时钟业务。", Mentions: []news.Mention{mention("org:renesas", "", news.Org), mention("org:sitime", "", news.Org), mention("", "USD 1500000000", news.Money)}},
		{ID: "other", Lang: "zh", Script: news.ScriptHans, Source: "cn", Title: "光刻胶厂商扩产", Text: "国内光刻胶厂商计划明年扩产一倍。", Mentions: []news.Mention{mention("tech:photoresist", "", news.Tech)}},
	}
	for i, a := range list {
		a.Version, a.Revision, a.URL = news.Version, 1, "https://news.example/"+a.ID
		a.Published = start.Add(time.Duration(i) * time.Hour)
		a.Fetched = a.Published
	}
	return list
}

func TestStoriesOfTheIndex(t *testing.T) {
	x := openTest(t, t.TempDir())
	for i, a := range quakes() {
		write(t, x, uint64(i+1), a)
	}
	st, err := x.Story(t.Context(), "quake-hant")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, a := range st.Articles {
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff(ids, []string{"quake-hant", "quake-hans", "quake-en"}); diff != "" {
		t.Errorf("timeline: -got +want:\n%s", diff)
	}
	if st.Sources != 3 || len(st.Languages) != 3 || st.Entities[0] != (search.FacetValue{Value: "org:tsmc", Count: 3}) {
		t.Errorf("got %+v, want 3 sources, 3 languages, TSMC", st)
	}
	res, err := x.Search(t.Context(), search.Request{Collapse: true, Sort: search.SortOldest})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]*search.More)
	for _, h := range res.Hits {
		got[h.ID] = h.More
	}
	want := map[string]*search.More{
		"quake-hant": {Articles: 2, Languages: []string{"en", "zh-Hans"}},
		"deal-en":    {Articles: 1, Languages: []string{"zh-Hans"}},
		"other":      nil,
	}
	if diff := cmp.Diff(got, want); diff != "" || res.Total != 6 || res.Stories != 3 {
		t.Errorf("collapsed: total %d, stories %d, -got +want:\n%s", res.Total, res.Stories, diff)
	}

	// The first article goes; the story keeps its name.
	gone := *quakes()[0]
	gone.Revision, gone.Deleted = 2, true
	write(t, x, 7, &gone)
	if st, err = x.Story(t.Context(), "quake-hant"); err != nil || st.Total != 2 {
		t.Errorf("without its first article: got %+v, %v, want 2 articles", st, err)
	}
}

// TestStoriesDoNotDependOnBatches writes one stream in batches of any size, with
// the index closed and opened in between, and expects the same stories.
func TestStoriesDoNotDependOnBatches(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 2))
	var ops []Op
	for round := range 12 {
		for _, a := range quakes() {
			c := *a
			c.ID = fmt.Sprintf("%s-%d", a.ID, round/3)
			c.Revision = int64(round)
			c.Deleted = rnd.IntN(7) == 0
			c.Published = c.Published.AddDate(0, 0, round)
			c.Text += fmt.Sprint("（", rnd.IntN(3), "）")
			op := testOp(t, &c)
			op.Time = c.Published
			op.Seq = uint64(len(ops) + 1)
			ops = append(ops, op)
		}
	}
	var want map[string]string
	for round := range 5 {
		dir := t.TempDir()
		x, err := Open(testOptions(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(uint64(round), 9))
		for rest := ops; len(rest) > 0; {
			n := min(1+r.IntN(1+round*6), len(rest))
			if err := x.Write(t.Context(), rest[n-1].Seq, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			if round > 2 && r.IntN(4) == 0 {
				if err := x.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				if x, err = Open(testOptions(t, dir)); err != nil {
					t.Fatal(err)
				}
			}
		}
		res, err := x.Search(t.Context(), search.Request{Size: search.MaxSize})
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, h := range res.Hits {
			got[h.ID] = h.Story
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			want = got
		} else if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("round %d: stories differ (-got +want):\n%s", round, diff)
		}
	}
}
