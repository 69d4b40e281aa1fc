package chaos

import (
	"maps"
	"slices"
	"sync"
	"testing"
)

// tally counts what a run has killed, and what the judge found after it.
type tally struct {
	mu     sync.Mutex
	deaths map[string]int // by where
	crawls int
	verdict
}

func newTally() *tally { return &tally{deaths: make(map[string]int)} }

// verdict is what a judge found: of so many articles and deliveries, those that
// are not as they must be. Deliveries again came under the name they had before.
type verdict struct {
	articles, lost, doubled, overwritten int
	deliveries, untold, renamed, again   int
}

func (s *tally) died(where string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaths[where]++
}

func (s *tally) judged(w *world) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, u := w.verdict, &s.verdict
	s.crawls++
	u.articles, u.lost, u.doubled, u.overwritten = u.articles+v.articles, u.lost+v.lost, u.doubled+v.doubled, u.overwritten+v.overwritten
	u.deliveries, u.untold, u.renamed, u.again = u.deliveries+v.deliveries, u.untold+v.untold, u.renamed+v.renamed, u.again+v.again
}

func (s *tally) report(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, where := range slices.Sorted(maps.Keys(s.deaths)) {
		t.Logf("%5d × %s", s.deaths[where], where)
		n += s.deaths[where]
	}
	t.Logf("%d kills in %d worlds that were judged: of %d articles %d lost, %d doubled, %d wrongly overwritten", n, s.crawls, s.articles, s.lost, s.doubled, s.overwritten)
	t.Logf("of %d deliveries %d lost, %d under a second name, %d came again under their name", s.deliveries, s.untold, s.renamed, s.again)
}
