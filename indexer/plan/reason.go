package plan

import (
	"cmp"
	"strings"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/han"
)

// reasons returns the function that says, for a clause of the query, how that
// comes to match: as it was written, or by what Expand has added to it.
func (p *Planner) reasons(q *Plan) func(clause string) string {
	written := make(map[string]bool)
	texts := make(map[string]bool) // all ways of writing, folded
	synonyms := query.Expansion{}
	if q.Node != nil {
		for _, n := range Positive(q.Node) {
			written[n.String()] = true
			if q.Expansion.NoSynonyms {
				continue
			}
			for _, v := range Positive(synonyms.Expand(n)) {
				texts[han.FoldString(v.String())] = true
			}
		}
	}
	return func(clause string) string {
		switch id, entity := strings.CutPrefix(clause, query.FieldEntity+":"); {
		case entity:
			return search.ReasonEntity + " " + cmp.Or(p.FacetName(search.FacetEntity, id), id)
		case written[clause]:
			return search.ReasonTerm
		case texts[han.FoldString(clause)]:
			return search.ReasonSynonym + " " + unquoted(clause)
		case strings.HasPrefix(clause, query.FieldTitle+":"), strings.HasPrefix(clause, query.FieldText+":"):
			return search.ReasonAlias + " " + unquoted(clause)
		}
		return search.ReasonTerm // a part of a Near
	}
}

// unquoted returns the text of a clause without field and quotation marks.
func unquoted(clause string) string {
	clause = strings.TrimPrefix(strings.TrimPrefix(clause, query.FieldTitle+":"), query.FieldText+":")
	return strings.Trim(clause, `"`)
}
