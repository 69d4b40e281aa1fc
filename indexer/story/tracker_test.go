package story

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/han"
)

// run adds articles to a tracker and keeps the stories that result.
type run struct {
	*Tracker
	stories map[string]string
	items   []*Item
}

func newRun() *run { return &run{Tracker: NewTracker(0), stories: make(map[string]string)} }

func (r *run) add(x *Item) {
	r.items = append(r.items, x)
	r.apply(r.Add(x))
}

func (r *run) apply(changes []Change) {
	for _, c := range changes {
		r.stories[c.Article] = c.Story
	}
}

// reloaded returns a run that knows from the stories alone what r knows.
func (r *run) reloaded() *run {
	fresh := &run{Tracker: NewTracker(r.Floor()), stories: r.stories, items: r.items}
	latest := make(map[string]*Item)
	for _, x := range r.items {
		latest[x.id] = x
	}
	for _, x := range r.items {
		if latest[x.id] == x && x.seq > r.Floor() && r.stories[x.id] != "" {
			y := *x
			y.features = append([]feature(nil), x.features...)
			fresh.Load(&y, r.stories[x.id])
		}
	}
	return fresh
}

// TestRestartChangesNothing fills a new tracker from what is known again and
// again, while articles come, are revised and deleted, and expects the same
// stories.
func TestRestartChangesNothing(t *testing.T) {
	list := readGold(t, "gold-1.txt", "gold-2.txt")
	play := func(restart bool) map[string]string {
		rnd := rand.New(rand.NewPCG(1, 2))
		r, seq := newRun(), 0
		for round := range 4 { // weeks apart, so that articles leave
			for _, a := range list {
				seq++
				copied := *a.Article
				copied.ID = fmt.Sprintf("%s/%d", a.ID, round)
				copied.Published = a.Published.AddDate(0, 0, 7*round)
				r.add(item(&copied, seq))
				switch n := rnd.IntN(12); {
				case n == 0:
					old := r.items[max(len(r.items)-1-rnd.IntN(20), 0)]
					r.apply(r.Remove(old.id))
					r.stories[old.id] = ""
				case n == 1 && r.Knows(copied.ID):
					seq++
					copied.Text = strings.ToUpper(copied.Text)
					r.add(item(&copied, seq))
				}
				if restart && seq%5 == 0 {
					r = r.reloaded()
				}
			}
		}
		return r.stories
	}
	if diff := cmp.Diff(play(false), play(true)); diff != "" {
		t.Errorf("with restarts the stories differ (-without +with):\n%s", diff)
	}
}

func TestCopiesAreOfOneStory(t *testing.T) {
	list := readGold(t, "gold-1.txt", "gold-2.txt")
	r := newRun()
	seq := 0
	var wrong int
	for _, a := range list {
		if a.Lang != "zh" {
			continue
		}
		seq++
		r.add(item(a.Article, seq))
		for name, change := range map[string]func(*news.Article){
			"script": func(c *news.Article) { c.Title, c.Text = han.Simplify(c.Title), han.Simplify(c.Text) },
			"syndicated": func(c *news.Article) {
				const head = "（本文转自演示财经，记者综合报道）\n"
				c.Text = head + c.Text + "\n版权所有，未经许可不得转载。"
				c.Mentions = slices.Clone(c.Mentions)
				for i := range c.Mentions {
					if m := &c.Mentions[i]; m.Start > utf8.RuneCountInString(c.Title) {
						m.Start += utf8.RuneCountInString(head)
						m.End += utf8.RuneCountInString(head)
					}
				}
			},
		} {
			seq++
			copied := *a.Article
			copied.ID += "-" + name
			change(&copied)
			r.add(item(&copied, seq))
			if r.stories[copied.ID] != r.stories[a.ID] {
				wrong++
			}
		}
	}
	if share := float64(wrong) / float64(seq); share > 0.02 {
		t.Errorf("got %d of %d copies in another story, want at most 2 %%", wrong, seq)
	}
}

func TestStoriesMergeAndSplit(t *testing.T) {
	article := func(id, title, text string, hours int) *news.Article {
		return &news.Article{ID: id, Lang: "zh", Title: title, Text: text, Published: week.Add(time.Duration(hours) * time.Hour)}
	}
	const (
		quake  = "嘉义深夜发生规模六点四地震，竹南厂区人员疏散到空旷处，晶圆报废数量仍在清点。"
		repair = "设备商派出工程师赶往南科，协助校正曝光机台，预计三天恢复运转，晶圆报废约两万片。"
	)
	r := newRun()
	r.add(item(article("a", "嘉义地震 竹南厂区疏散", quake, 0), 1))
	r.add(item(article("b", "南科抢修曝光机台", repair, 3), 2))
	if r.stories["a"] == r.stories["b"] {
		t.Fatalf("got one story, want two before anything joins them")
	}
	r.add(item(article("c", "嘉义地震竹南厂区疏散 南科抢修曝光机台", quake+repair, 6), 3))
	if want := map[string]string{"a": "a", "b": "a", "c": "a"}; cmp.Diff(want, r.stories) != "" {
		t.Fatalf("got %v, want %v: the third article tells of both", r.stories, want)
	}
	r.apply(r.Remove("c"))
	if r.stories["a"] != "a" || r.stories["b"] != "b" {
		t.Errorf("got %v, want a and b apart again", r.stories)
	}
}

func TestOldArticlesLeave(t *testing.T) {
	r := newRun()
	a := readGold(t, "gold-1.txt")[0]
	r.add(item(a.Article, 1))
	late := *a.Article
	late.ID, late.Published = "late", late.Published.Add(maxAge+time.Hour)
	r.add(item(&late, 2))
	if r.Knows(a.ID) || r.Floor() != 1 || r.stories["late"] != "late" {
		t.Errorf("got knows=%t floor=%d story=%s, want the first to have left", r.Knows(a.ID), r.Floor(), r.stories["late"])
	}
}

func BenchmarkAdd(b *testing.B) {
	list := readGold(b, "gold-1.txt", "gold-2.txt")
	var items []*Item
	for i := range 5000 {
		copied := *list[i%len(list)].Article
		copied.ID = fmt.Sprintf("%s-%d", copied.ID, i)
		copied.Published = week.Add(time.Duration(i) * time.Minute)
		copied.Text = fmt.Sprintf("%s %d %s", copied.Text, i*37, list[(i*7)%len(list)].Title)
		items = append(items, item(&copied, i+1))
	}
	for b.Loop() {
		t := NewTracker(0)
		for _, x := range items {
			y := *x
			t.Add(&y)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(items)), "µs/article")
}
