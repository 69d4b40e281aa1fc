package bleve

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
)

var update = flag.Bool("update", false, "write the ranks in testdata/relevance anew")

// TestRelevance holds the rank of an article that answers a query, one query a
// file, over the texts that stories are measured by. A rank may get better, not
// worse.
func TestRelevance(t *testing.T) {
	x := openTest(t, t.TempDir())
	for i, a := range goldArticles(t) {
		write(t, x, uint64(i+1), a)
	}
	files, err := filepath.Glob("testdata/relevance/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d goldens, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden := make(map[string]string)
			for line := range strings.Lines(string(data)) {
				if key, value, ok := strings.Cut(line, ": "); ok {
					golden[key] = strings.TrimSpace(value)
				}
			}
			res, err := x.Search(t.Context(), search.Request{Query: golden["query"], Sort: search.SortRelevance, Size: 50})
			if err != nil {
				t.Fatal(err)
			}
			got := 1 + slices.IndexFunc(res.Hits, func(h search.Hit) bool { return h.ID == golden["target"] })
			if *update {
				text := fmt.Sprintf("query: %s\ntarget: %s\nrank: %d\n", golden["query"], golden["target"], got)
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := strconv.Atoi(golden["rank"])
			if err != nil {
				t.Fatalf("rank: %v", err)
			}
			if got == 0 || got > want {
				t.Errorf("%s: got %s at rank %d (0 is nowhere), want %d or better", golden["query"], golden["target"], got, want)
			}
		})
	}
}

// goldArticles reads the texts of package story.
func goldArticles(t *testing.T) []*news.Article {
	t.Helper()
	mentions := make(map[string][]news.Mention)
	data, err := os.ReadFile("../story/testdata/mentions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var a struct {
			ID       string
			Mentions []news.Mention
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		mentions[a.ID] = a.Mentions
	}
	var list []*news.Article
	for _, name := range []string{"gold-1.txt", "gold-2.txt"} {
		f, err := os.Open("../story/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		event, n := "", 0
		for s := bufio.NewScanner(f); s.Scan(); {
			line := s.Text()
			switch {
			case strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "= "):
				event, n = line[2:], 0
			default:
				head := strings.SplitN(line, " ", 3)
				hours, err := strconv.Atoi(head[1])
				if err != nil || !s.Scan() {
					t.Fatalf("%s: %q: %v", name, line, err)
				}
				n++
				a := &news.Article{
					Version: news.Version, ID: fmt.Sprintf("%s/%d", event, n), Revision: 1, Lang: "zh", Script: head[0], Title: head[2], Text: s.Text(),
					Published: time.Date(2026, 2, 9, hours, 0, 0, 0, time.UTC),
				}
				if head[0] == news.ScriptLatn {
					a.Lang = "en"
				}
				a.Mentions = mentions[a.ID]
				list = append(list, a)
			}
		}
	}
	return list
}
