package story

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/news"
	"xinwen/news/lexicon"
)

var analyzer = sync.OnceValue(func() *analysis.Analyzer {
	l, err := lexicon.Builtin()
	if err != nil {
		panic(err)
	}
	a, err := analysis.New(analysis.Options{Lexicon: l})
	if err != nil {
		panic(err)
	}
	return a
})

// told is an article of the gold set and the event it tells of.
type told struct {
	*news.Article
	event string
}

var week = time.Date(2026, 2, 9, 0, 0, 0, 0, time.UTC)

// readGold reads the events of a file, in order of time.
func readGold(t testing.TB, names ...string) []told {
	t.Helper()
	mentions := readMentions(t)
	var list []told
	for _, name := range names {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		event, n := "", 0
		for s := bufio.NewScanner(f); s.Scan(); {
			line := s.Text()
			if strings.HasPrefix(line, "#") {
				continue
			}
			if name, ok := strings.CutPrefix(line, "= "); ok {
				event, n = name, 0
				continue
			}
			head := strings.SplitN(line, " ", 3)
			hours, err := strconv.Atoi(head[1])
			if err != nil || !s.Scan() {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
			n++
			a := &news.Article{
				Version: news.Version, ID: fmt.Sprintf("%s/%d", event, n), Revision: 1, Lang: "zh", Script: head[0],
				Title: head[2], Text: s.Text(), Published: week.Add(time.Duration(hours) * time.Hour),
			}
			if head[0] == news.ScriptLatn {
				a.Lang = "en"
			}
			a.Mentions = mentions[a.ID]
			list = append(list, told{a, event})
		}
	}
	slices.SortStableFunc(list, func(a, b told) int { return a.Published.Compare(b.Published) })
	return list
}

// readMentions reads what the extractor finds in the gold set.
func readMentions(t testing.TB) map[string][]news.Mention {
	t.Helper()
	data, err := os.ReadFile("testdata/mentions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]news.Mention)
	for line := range strings.Lines(string(data)) {
		var a struct {
			ID       string
			Mentions []news.Mention
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		all[a.ID] = a.Mentions
	}
	return all
}

func item(a *news.Article, seq int) *Item {
	an := analyzer()
	return Read(a, an, an.Words(a.Title), an.Words(a.Text), uint64(seq), a.Published)
}

// cluster returns the story of each article.
func cluster(list []told) map[string]string {
	t := NewTracker(0)
	stories := make(map[string]string)
	for i, a := range list {
		for _, c := range t.Add(item(a.Article, i+1)) {
			stories[c.Article] = c.Story
		}
	}
	return stories
}

// bCubed returns the B-cubed precision, recall and F1 of stories.
func bCubed(list []told, stories map[string]string) (p, r, f float64) {
	for _, a := range list {
		both, story, event := 0.0, 0.0, 0.0
		for _, b := range list {
			sameStory, sameEvent := stories[a.ID] == stories[b.ID], a.event == b.event
			if sameStory {
				story++
			}
			if sameEvent {
				event++
			}
			if sameStory && sameEvent {
				both++
			}
		}
		p += both / story
		r += both / event
	}
	p, r = p/float64(len(list)), r/float64(len(list))
	return p, r, 2 * p * r / (p + r)
}

func TestStoriesAreEvents(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		least float64
	}{
		{"chosen_on", []string{"gold-1.txt"}, 0.85},
		{"held_out", []string{"gold-2.txt"}, 0.85},
		{"all", []string{"gold-1.txt", "gold-2.txt"}, 0.85},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := readGold(t, tt.files...)
			stories := cluster(list)
			p, r, f := bCubed(list, stories)
			t.Logf("%d articles: B-cubed precision %.3f, recall %.3f, F1 %.3f", len(list), p, r, f)
			if f < tt.least {
				t.Errorf("got F1 %.3f, want at least %.2f", f, tt.least)
			}
			if testing.Verbose() {
				explainErrors(t, list, stories)
			}
		})
	}
}

// explainErrors logs which articles are in a wrong story.
func explainErrors(t *testing.T, list []told, stories map[string]string) {
	groups := make(map[string][]string)
	for _, a := range list {
		groups[stories[a.ID]] = append(groups[stories[a.ID]], a.ID)
	}
	events := make(map[string]map[string]bool)
	for _, a := range list {
		if events[a.event] == nil {
			events[a.event] = make(map[string]bool)
		}
		events[a.event][stories[a.ID]] = true
	}
	for _, g := range groups {
		first, _, _ := strings.Cut(g[0], "/")
		if slices.ContainsFunc(g, func(id string) bool { return !strings.HasPrefix(id, first+"/") }) {
			t.Logf("mixed: %v", g)
		}
	}
	for e, s := range events {
		if len(s) > 1 {
			t.Logf("parted: %s", e)
		}
	}
}
