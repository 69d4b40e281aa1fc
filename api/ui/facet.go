package ui

import (
	"slices"

	"xinwen/indexer/search"
)

const (
	// facetSize is the number of values shown of a facet at once; of entities,
	// that of each kind.
	facetSize  = 10
	entitySize = 5
)

// Facet is a list of ways to narrow the search.
type Facet struct {
	Key    string // of its title in the catalogue
	Groups []FacetGroup
}

// FacetGroup is a part of a facet: all of it, or the entities of a kind. More
// are shown when asked for.
type FacetGroup struct {
	Kind        string
	Links, More []Link
}

// add appends a link where it belongs. One that is active is always shown.
func (g *FacetGroup) add(l Link, size int) {
	if len(g.Links) < size || l.Active {
		g.Links = append(g.Links, l)
	} else {
		g.More = append(g.More, l)
	}
}

func (u *UI) langLabel(value string, lang int) string {
	if m, ok := catalogue["lang-"+value]; ok {
		return m[lang]
	}
	return value
}

// facetName returns the name of an entity that was counted.
func (u *UI) facetName(v search.FacetValue, lang int) string {
	if unnamedEntity(v.Value) {
		return v.Name
	}
	return u.entityName(lang, v.Value)
}

func (u *UI) facets(s state, counts map[string][]search.FacetValue, lang int, names map[string]string) []Facet {
	entities := Facet{Key: "entities"}
	for _, k := range entityKinds {
		g := FacetGroup{Kind: string(k)}
		for _, v := range counts[search.FacetEntity] {
			if entityKind(v.Value) == g.Kind && (v.Name != "" || !unnamedEntity(v.Value)) {
				g.add(Link{
					Label: u.facetName(v, lang), URL: s.toggle("entity", v.Value).URL(), Count: v.Count,
					Active: slices.Contains(s.Entity, v.Value), Kind: g.Kind,
				}, entitySize)
			}
		}
		if len(g.Links) > 0 {
			entities.Groups = append(entities.Groups, g)
		}
	}
	var langs []Link
	for _, v := range counts[search.FacetLang] {
		if v.Value != "zh" && v.Value != "" { // Chinese is shown by its scripts
			langs = append(langs, Link{
				Label: u.langLabel(v.Value, lang), URL: s.toggle("lang", v.Value).URL(), Count: v.Count, Active: slices.Contains(s.Lang, v.Value),
			})
		}
	}
	for _, v := range counts[search.FacetScript] {
		if tag := languageTag("zh", v.Value); tag != "zh" {
			langs = append(langs, Link{
				Label: u.langLabel(tag, lang), URL: s.toggle("lang", tag).URL(), Count: v.Count, Active: slices.Contains(s.Lang, tag),
			})
		}
	}
	slices.SortStableFunc(langs, func(a, b Link) int { return b.Count - a.Count })
	var sources []Link
	for _, v := range counts[search.FacetSource] {
		sources = append(sources, Link{
			Label: or(names[v.Value], v.Name, v.Value), URL: s.toggle("source", v.Value).URL(), Count: v.Count,
			Active: slices.Contains(s.Source, v.Value),
		})
	}
	var topics []Link
	for _, v := range counts[search.FacetTopic] {
		topics = append(topics, Link{
			Label: topicName(v.Value, lang), URL: s.toggle("topic", v.Value).URL(), Count: v.Count, Active: slices.Contains(s.Topic, v.Value),
		})
	}
	var out []Facet
	for _, f := range []struct {
		key   string
		links []Link
	}{{"langs", langs}, {"topics", topics}, {"sources", sources}} {
		var g FacetGroup
		for _, l := range f.links {
			g.add(l, facetSize)
		}
		if len(g.Links) > 0 {
			out = append(out, Facet{Key: f.key, Groups: []FacetGroup{g}})
		}
	}
	if len(entities.Groups) > 0 {
		out = append(out, entities)
	}
	return out
}
