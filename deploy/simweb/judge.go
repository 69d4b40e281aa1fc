package simweb

import (
	"slices"
	"time"
)

// Impolite is a request that came too soon after the answer to the one before at
// the same host; a negative gap means that both were under way at once.
type Impolite struct {
	Host   string
	Gap    time.Duration
	First  string // path of the earlier request
	Second string
}

// Impolite returns the requests that came less than delay after the end of the
// answer to the one before at the same host, robots.txt included.
func (l *Log) Impolite(delay time.Duration) []Impolite {
	byHost := make(map[string][]Request)
	for _, r := range l.Requests() {
		byHost[r.Host] = append(byHost[r.Host], r)
	}
	var all []Impolite
	for host, rs := range byHost {
		slices.SortFunc(rs, func(a, b Request) int { return a.Time.Compare(b.Time) })
		for i := 1; i < len(rs); i++ {
			gap := rs[i].Time.Sub(rs[i-1].Time.Add(rs[i-1].Took))
			if gap < delay {
				all = append(all, Impolite{Host: host, Gap: gap, First: rs[i-1].Path, Second: rs[i].Path})
			}
		}
	}
	slices.SortFunc(all, func(a, b Impolite) int { return int(a.Gap - b.Gap) })
	return all
}

// Len returns the number of requests so far.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.requests)
}
