package ui

import (
	"testing"

	"xinwen/indexer/search"
)

func TestGraphStaysInItsFrame(t *testing.T) {
	links := []Link{{Label: "SK hynix", Count: 9}, {Label: "Samsung Electronics Company", Count: 4}, {Label: "Micron", Count: 1}}
	ids := []string{"a", "b", "c"}
	if g := graph("HBM", "tech", links[:2], ids[:2], nil); g != nil {
		t.Errorf("got %v of two, want a list to do", g)
	}
	hits := []search.Hit{{Entities: []string{"b", "x", "a"}}, {Entities: []string{"a", "b"}}, {Entities: []string{"c", "a"}}}
	g := graph("HBM", "tech", links, ids, hits)
	if g == nil || len(g.Nodes) != 4 || len(g.Edges) != 4 {
		t.Fatalf("got %+v, want 4 nodes, an edge to each and one between a and b", g)
	}
	for _, n := range g.Nodes {
		if n.X < 0 || n.X > graphWidth || n.Y < 0 || n.Y > graphHeight || n.R < 5 || len([]rune(n.Label)) > longestLabel {
			t.Errorf("got %+v, want it inside", n)
		}
	}
}
