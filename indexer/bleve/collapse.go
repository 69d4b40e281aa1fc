package bleve

import (
	"maps"
	"slices"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// storyGroups gathers the hits of each story that has several articles.
type storyGroups struct {
	stories map[string]*storyGroup

	// own is the story whose hits are left out if skip is set, and else are shown
	// apart from each other.
	own         string
	skip, apart bool

	// Of the segment whose hits are shown.
	names, langs, scripts *column
	known                 []*storyGroup // by names
}

// storyGroup is the hits of one story.
type storyGroup struct {
	best  found
	lang  string         // of best
	langs map[string]int // of all
	count int
}

func newStoryGroups() *storyGroups { return &storyGroups{stories: make(map[string]*storyGroup)} }

// begin says that the next hits are of a segment.
func (s *storyGroups) begin(g *segment) error {
	for field, c := range map[string]**column{
		fieldStory: &s.names, facetPrefix + query.FieldLang: &s.langs, facetPrefix + query.FieldScript: &s.scripts,
	} {
		var err error
		if *c, err = g.column(field); err != nil {
			return err
		}
	}
	s.known = make([]*storyGroup, len(s.names.names))
	return nil
}

// add puts a hit into the group of its story and reports whether it is alone.
func (s *storyGroups) add(f found, better func(a, b *found) bool) (alone bool) {
	var buf [1]uint32
	named := s.names.of(f.doc, &buf)
	if len(named) == 0 {
		return true
	}
	name := s.names.names[named[0]]
	if name == s.own && (s.skip || s.apart) {
		return !s.skip
	}
	lang := search.Language(s.langs.name(f.doc), s.scripts.name(f.doc))
	g := s.known[named[0]]
	if g == nil {
		if g = s.stories[name]; g == nil {
			g = &storyGroup{best: f, lang: lang, langs: make(map[string]int)}
			s.stories[name] = g
		}
		s.known[named[0]] = g
	}
	if g.count > 0 && better(&f, &g.best) {
		g.best, g.lang = f, lang
	}
	g.count++
	g.langs[lang]++
	return false
}

// each calls visit with the best hit of each story.
func (s *storyGroups) each(visit func(f found) error) error {
	for _, name := range slices.Sorted(maps.Keys(s.stories)) {
		g := s.stories[name]
		if g.count > 1 {
			if g.langs[g.lang]--; g.langs[g.lang] == 0 {
				delete(g.langs, g.lang)
			}
			g.best.more = &search.More{Articles: g.count - 1, Languages: slices.Sorted(maps.Keys(g.langs))}
		}
		if err := visit(g.best); err != nil {
			return err
		}
	}
	return nil
}
