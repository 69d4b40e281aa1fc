package plan

import (
	"fmt"
	"slices"
	"strings"

	"xinwen/indexer/search"
)

// Count checks r and reads its query.
func (p *Planner) Count(r search.CountRequest) (*Plan, error) {
	if err := checkCount(r); err != nil {
		return nil, err
	}
	r.Cursor, r.Sort, r.Size, r.Facets = "", "", -1, nil
	return p.Plan(r.Request)
}

func checkCount(r search.CountRequest) error {
	wrong := func(field, message, hint string) error {
		return &search.RequestError{Field: field, Message: message, Hint: hint}
	}
	if len(r.Edges) < 2 || len(r.Edges) > search.MaxEdges {
		return wrong("edges", fmt.Sprintf("are %d, not from 2 to %d", len(r.Edges), search.MaxEdges), "give the times at which intervals begin and the end of the last")
	}
	for i, e := range r.Edges[1:] {
		if !r.Edges[i].Before(e) {
			return wrong("edges", "do not ascend", "sort them and leave out repetitions")
		}
	}
	for i, f := range r.By {
		if !slices.Contains(FacetFields, f) || slices.Contains(r.By[:i], f) {
			return wrong("by", "cannot be "+strings.Join(r.By, ", "), "it is any of "+strings.Join(FacetFields, ", ")+", each once")
		}
	}
	if r.Limit < 0 {
		return wrong("limit", "is negative", "leave it out for the default")
	}
	return nil
}

// CheckCounts says that so many groups over so many intervals are more numbers
// than are given.
func CheckCounts(groups, intervals int) error {
	if n := groups * intervals; n > search.MaxCounts {
		return &search.RequestError{
			Field: "edges", Message: fmt.Sprintf("make %d numbers with the groups there are; at most %d are given", n, search.MaxCounts),
			Hint: "ask for longer intervals or fewer groups",
		}
	}
	return nil
}
