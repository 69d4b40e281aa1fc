package entity

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"xinwen/extractor/entity/gold"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// annotated are the articles annotated by hand.
func annotated(t *testing.T) []gold.Article {
	t.Helper()
	list, err := gold.News(filepath.Join("..", "..", "..", "shared", "data", "entities"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no annotated articles here")
	}
	if err != nil {
		t.Fatal(err)
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

func annotate(g *Gazetteer, a *gold.Article, convert func(string) string) []news.Mention {
	return g.Annotate(convert(a.Content()), contextOf(a))
}

func contextOf(a *gold.Article) Context {
	lang, _, _ := strings.Cut(a.Lang, "-")
	return Context{Lang: lang, Date: a.Published(), Hant: a.Lang == "zh-Hant"}
}

// TestMentionsOfAnnotatedNews holds typed-span F1 and linking to floors.
func TestMentionsOfAnnotatedNews(t *testing.T) {
	articles, g := annotated(t), builtin(t)
	var s gold.Score
	for i := range articles {
		s.Add(&articles[i], annotate(g, &articles[i], strings.Clone))
	}
	for key, floor := range map[string]float64{
		"all": 0.95, "org": 0.94, "person": 0.98, "place": 0.97, "product": 0.92, "tech": 0.92, "date": 0.98, "money": 0.99, "percent": 0.99,
		"en": 0.95, "zh-Hans": 0.94, "zh-Hant": 0.94,
	} {
		f1 := s.Spans[key].F1()
		t.Logf("%-8s F1 %.3f", key, f1)
		if f1 < floor {
			t.Errorf("%s: F1 is %.3f, want at least %.2f", key, f1, floor)
		}
	}
	linking := float64(s.Linked) / float64(s.Links)
	t.Logf("linking  %.3f", linking)
	if linking < 0.97 {
		t.Errorf("linking is %.3f, want at least 0.97", linking)
	}
}

func TestEntitiesAreTheSameInSimplified(t *testing.T) {
	articles, g := annotated(t), builtin(t)
	same, all := 0, 0
	for i := range articles {
		if articles[i].Lang != "zh-Hant" {
			continue
		}
		converted := make(map[[2]int]string)
		for _, m := range annotate(g, &articles[i], han.Simplify) {
			converted[[2]int{m.Start, m.End}] = m.Entity
		}
		for _, m := range annotate(g, &articles[i], strings.Clone) {
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
