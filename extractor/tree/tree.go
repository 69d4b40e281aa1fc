// Package tree holds small models of boosted decision trees: the extractor's
// judgement on blocks and candidates. In goes a row of features, out comes a
// number. Models are data files; Fit makes them.
package tree

import (
	"encoding/json"
	"fmt"
	"math"
)

// Model is a sum of trees. It is read-only after Parse or Fit, and safe for
// concurrent use.
type Model struct {
	// Features are the names of the columns of a row.
	Features []string `json:"features"`
	// Note says what the model was fitted on.
	Note string `json:"note,omitempty"`
	// Base is what the trees add to.
	Base float64 `json:"base"`
	// Trees are added up.
	Trees []Tree `json:"trees"`
}

// Tree is one tree, its nodes in arrays. Node 0 is the root.
type Tree struct {
	// Feature is the column a node looks at, -1 for a leaf.
	Feature []int `json:"f"`
	// Value is the threshold of a node (rows at most that go to the next node,
	// others to Right), or what a leaf adds.
	Value []float64 `json:"v"`
	// Right is where the greater rows go on.
	Right []int `json:"r"`
}

// Parse reads the JSON form of a model and checks that it is for the given
// features.
func Parse(data []byte, features []string) (*Model, error) {
	var m Model
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if len(m.Features) != len(features) {
		return nil, fmt.Errorf("model: %d features, the program has %d; fit it anew", len(m.Features), len(features))
	}
	for i := range features {
		if m.Features[i] != features[i] {
			return nil, fmt.Errorf("model: feature %d is %q, the program has %q; fit it anew", i, m.Features[i], features[i])
		}
	}
	for i := range m.Trees {
		if err := m.Trees[i].check(len(features)); err != nil {
			return nil, fmt.Errorf("model: tree %d: %w", i, err)
		}
	}
	return &m, nil
}

func (t *Tree) check(features int) error {
	n := len(t.Feature)
	if n == 0 || len(t.Value) != n || len(t.Right) != n {
		return fmt.Errorf("arrays of %d, %d and %d nodes", n, len(t.Value), len(t.Right))
	}
	for i, f := range t.Feature {
		if f >= features || f >= 0 && (t.Right[i] <= i+1 || t.Right[i] >= n) {
			return fmt.Errorf("node %d leads nowhere", i)
		}
	}
	return nil
}

// Sum returns what the model says of a row.
func (m *Model) Sum(row []float32) float64 {
	s := m.Base
	for i := range m.Trees {
		s += m.Trees[i].at(row)
	}
	return s
}

// Probability returns the sum as a probability, for models fitted on classes.
func (m *Model) Probability(row []float32) float64 { return 1 / (1 + math.Exp(-m.Sum(row))) }

func (t *Tree) at(row []float32) float64 {
	i := 0
	for t.Feature[i] >= 0 {
		if float64(row[t.Feature[i]]) <= t.Value[i] {
			i++
		} else {
			i = t.Right[i]
		}
	}
	return t.Value[i]
}
