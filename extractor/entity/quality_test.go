package entity

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// goldArticle is one article annotated by hand.
type goldArticle struct {
	ID, Lang, Title, Text, Date string
	Mentions                    []struct {
		Start, End int
		Type       string
	}
}

func gold(t *testing.T) []goldArticle {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "entities", "dev_gold.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no annotated articles here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []goldArticle
	for d := json.NewDecoder(f); d.More(); {
		var a goldArticle
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

// doubts returns the spans that count neither way, by article.
func doubts(t *testing.T) map[string][][2]int {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "entities", "dev_doubts.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list := make(map[string][][2]int)
	for sc := bufio.NewScanner(f); sc.Scan(); {
		c := strings.Split(sc.Text(), "\t")
		if len(c) < 3 {
			continue
		}
		a, err1 := strconv.Atoi(c[1])
		b, err2 := strconv.Atoi(c[2])
		if err1 == nil && err2 == nil {
			list[c[0]] = append(list[c[0]], [2]int{a, b})
		}
	}
	return list
}

func builtin(t testing.TB) *Gazetteer {
	t.Helper()
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return New(lex)
}

func (a *goldArticle) annotate(g *Gazetteer, convert func(string) string) []news.Mention {
	content, c := a.context()
	return g.Annotate(convert(content), c)
}

func (a *goldArticle) context() (string, Context) {
	date, _ := time.Parse(time.DateOnly, a.Date) // "" leaves it zero
	lang, _, _ := strings.Cut(a.Lang, "-")
	return a.Title + "\n" + a.Text, Context{Lang: lang, Date: date, Hant: a.Lang == "zh-Hant"}
}

// TestMentionsOfAnnotatedNews holds typed-span F1 to floors.
func TestMentionsOfAnnotatedNews(t *testing.T) {
	articles, skip, g := gold(t), doubts(t), builtin(t)
	type count struct{ right, found, gold float64 }
	counts := make(map[string]*count)
	at := func(keys []string, do func(*count)) {
		for _, k := range keys {
			if counts[k] == nil {
				counts[k] = new(count)
			}
			do(counts[k])
		}
	}
	for i := range articles {
		a := &articles[i]
		doubtful := func(start, end int) bool {
			for _, d := range skip[a.ID] {
				if start < d[1] && d[0] < end {
					return true
				}
			}
			return false
		}
		type span struct {
			start, end int
			kind       string
		}
		want := make(map[span]bool)
		for _, m := range a.Mentions {
			if kind := strings.ToLower(m.Type); !doubtful(m.Start, m.End) {
				want[span{m.Start, m.End, kind}] = true
				at([]string{"all", a.Lang, kind}, func(c *count) { c.gold++ })
			}
		}
		for _, m := range a.annotate(g, func(s string) string { return s }) {
			if doubtful(m.Start, m.End) {
				continue
			}
			right := want[span{m.Start, m.End, string(m.Kind)}]
			at([]string{"all", a.Lang, string(m.Kind)}, func(c *count) {
				c.found++
				if right {
					c.right++
				}
			})
		}
	}
	for key, floor := range map[string]float64{
		"all": 0.91, "org": 0.92, "person": 0.93, "place": 0.95, "date": 0.97, "money": 0.98, "percent": 0.98,
		"en": 0.9, "zh-Hans": 0.9, "zh-Hant": 0.9,
	} {
		c := counts[key]
		f1 := 2 * c.right / (c.found + c.gold)
		t.Logf("%-8s F1 %.3f", key, f1)
		if f1 < floor {
			t.Errorf("%s: F1 is %.3f, want at least %.2f", key, f1, floor)
		}
	}
}

func TestEntitiesAreTheSameInSimplified(t *testing.T) {
	articles, g := gold(t), builtin(t)
	same, all := 0, 0
	for i := range articles {
		if articles[i].Lang != "zh-Hant" {
			continue
		}
		converted := make(map[[2]int]string)
		for _, m := range articles[i].annotate(g, han.Simplify) {
			converted[[2]int{m.Start, m.End}] = m.Entity
		}
		for _, m := range articles[i].annotate(g, func(s string) string { return s }) {
			if m.Entity == "" {
				continue
			}
			all++
			if e := converted[[2]int{m.Start, m.End}]; e == m.Entity {
				same++
			} else {
				t.Logf("%s: got %q, want %s", m.Surface, e, m.Entity)
			}
		}
	}
	t.Logf("%d of %d mentions mean the same entity", same, all)
	if same*1000 < all*999 {
		t.Errorf("got %d of %d mentions with the same entity, want 99.9 %%", same, all)
	}
}
