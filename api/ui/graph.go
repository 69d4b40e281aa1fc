package ui

import (
	"math"
	"strconv"

	"xinwen/indexer/search"
)

// Graph is an entity in the middle of those it is named together with. The list
// beside it says the same in words.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// Node is an entity of a graph. Anchor is which end of the label is at it.
type Node struct {
	Link
	X, Y, R, LabelX, LabelY int
	Anchor                  string
	Middle                  bool
}

// Edge joins two entities that are named in one article.
type Edge struct {
	X1, Y1, X2, Y2 int
	Width          string
}

// The measures of a graph.
const (
	graphWidth, graphHeight = 720, 450
	graphRingX, graphRingY  = 210, 150
	graphNodes              = 10
	longestLabel            = 18
)

// graph draws what is named together with an entity; hits are articles that name
// it, from which the edges between the others come.
func graph(name, kind string, together []Link, ids []string, hits []search.Hit) *Graph {
	n := min(len(together), graphNodes)
	if n < 3 {
		return nil // a list says it better
	}
	g := &Graph{}
	middle := Node{Link: Link{Label: name, Kind: kind}, X: graphWidth / 2, Y: graphHeight / 2, R: 20, Middle: true, Anchor: "middle"}
	middle.LabelX, middle.LabelY = middle.X, middle.Y+44
	most := 1
	for _, l := range together[:n] {
		most = max(most, l.Count)
	}
	at := make(map[string]Node, n)
	for i, l := range together[:n] {
		angle := 2*math.Pi*float64(i)/float64(n) - math.Pi/2
		node := Node{
			Link: l, X: middle.X + int(graphRingX*math.Cos(angle)), Y: middle.Y + int(graphRingY*math.Sin(angle)),
			R: 5 + int(9*math.Sqrt(float64(l.Count)/float64(most))),
		}
		if r := []rune(node.Label); len(r) > longestLabel {
			node.Label = string(r[:longestLabel-1]) + "…"
		}
		node.Anchor, node.LabelX, node.LabelY = "start", node.X+node.R+6, node.Y+5
		switch c := math.Cos(angle); {
		case math.Abs(c) < 0.2:
			node.Anchor, node.LabelX = "middle", node.X
			node.LabelY = node.Y + node.R + 24
			if math.Sin(angle) < 0 {
				node.LabelY = node.Y - node.R - 7
			}
		case c < 0:
			node.Anchor, node.LabelX = "end", node.X-node.R-6
		}
		at[ids[i]] = node
		g.Nodes = append(g.Nodes, node)
		g.Edges = append(g.Edges, edge(middle, node, float64(l.Count)/float64(most)))
	}
	pairs, largest := make(map[[2]string]int), 1
	for i := range hits {
		for j, a := range hits[i].Entities {
			for _, b := range hits[i].Entities[j+1:] {
				_, hasA := at[a]
				_, hasB := at[b]
				if hasA && hasB {
					pair := [2]string{min(a, b), max(a, b)}
					pairs[pair]++
					largest = max(largest, pairs[pair])
				}
			}
		}
	}
	var between []Edge
	for i, a := range ids[:n] {
		for _, b := range ids[i+1 : n] {
			if count := pairs[[2]string{min(a, b), max(a, b)}]; count > 1 {
				between = append(between, edge(at[a], at[b], 0.7*float64(count)/float64(largest)))
			}
		}
	}
	g.Edges = append(between, g.Edges...)
	g.Nodes = append(g.Nodes, middle)
	return g
}

func edge(a, b Node, weight float64) Edge {
	return Edge{a.X, a.Y, b.X, b.Y, strconv.FormatFloat(0.8+4*weight, 'f', 1, 64)}
}
