package bleve

import (
	"maps"
	"slices"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// storyGroups gathers the hits of each story that has several articles.
type storyGroups struct {
	names   *storyNames
	facets  bleveindex.DocValueReader
	id      bleveindex.IndexInternalID
	stories map[string]*storyGroup

	// own is the story whose hits are left out if skip is set, and else are shown
	// apart from each other.
	own         string
	skip, apart bool
}

// storyGroup is the hits of one story.
type storyGroup struct {
	best  found
	lang  string         // of best
	langs map[string]int // of all
	count int
}

func (s *snapshot) storyGroups() (*storyGroups, error) {
	g := &storyGroups{stories: make(map[string]*storyGroup)}
	var err error
	if g.names, err = s.storyNames(); err != nil {
		return nil, err
	}
	g.facets, err = s.r.DocValueReader([]string{facetPrefix + query.FieldLang, facetPrefix + query.FieldScript})
	return g, err
}

// add puts a hit into the group of its story and reports whether it is alone.
func (g *storyGroups) add(f found, better func(a, b *found) bool) (alone bool, err error) {
	name, err := g.names.of(f.doc)
	if err != nil || name == "" {
		return err == nil, err
	}
	if name == g.own && (g.skip || g.apart) {
		return !g.skip, nil
	}
	var lang, script string
	g.id = bleveindex.NewIndexInternalID(g.id, f.doc)
	err = g.facets.VisitDocValues(g.id, func(field string, term []byte) {
		if field == facetPrefix+query.FieldLang {
			lang = string(term)
		} else {
			script = string(term)
		}
	})
	if err != nil {
		return false, err
	}
	lang = search.Language(lang, script)
	s := g.stories[name]
	if s == nil {
		s = &storyGroup{best: f, lang: lang, langs: make(map[string]int)}
		g.stories[name] = s
	} else if better(&f, &s.best) {
		s.best, s.lang = f, lang
	}
	s.count++
	s.langs[lang]++
	return false, nil
}

// each calls visit with the best hit of each story.
func (g *storyGroups) each(visit func(f found) error) error {
	for _, name := range slices.Sorted(maps.Keys(g.stories)) {
		s := g.stories[name]
		if s.count > 1 {
			if s.langs[s.lang]--; s.langs[s.lang] == 0 {
				delete(s.langs, s.lang)
			}
			s.best.more = &search.More{Articles: s.count - 1, Languages: slices.Sorted(maps.Keys(s.langs))}
		}
		if err := visit(s.best); err != nil {
			return err
		}
	}
	return nil
}
