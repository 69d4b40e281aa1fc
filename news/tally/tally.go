// Package tally counts the matches of a rule and says when they are worth
// telling: at a threshold, when they come more often than they use to, and at
// the first mention of an entity. The percolator counts with it what comes, a
// backtest what has been.
//
// A tally is plain data with a JSON form. Adding an article twice changes
// nothing and gives the same answer, so whoever stores the tally before telling
// neither loses nor doubles anything.
package tally

import (
	"cmp"
	"math"
	"slices"
	"time"

	"xinwen/news"
)

const (
	// kept is how many articles are remembered beyond the window, so that one
	// which comes again after a crash or as a new revision is not counted twice.
	kept = 500
	// most bounds the articles remembered within the window; a rule that matches
	// more often than that should not count articles.
	most = 5000
	// early is how far ahead of the clock an article may say it was published.
	early = 10 * time.Minute
)

// Counts are the matches of a rule with a threshold or a spike.
type Counts struct {
	// Of is the definition of the rule that was counted.
	Of string `json:"of"`
	// Since is from when on everything has been counted.
	Since time.Time `json:"since"`
	// Recent are the articles counted last, by time.
	Recent []Counted `json:"recent,omitempty"`
	// Buckets are the numbers of matches in each window of the past, numbered
	// from the epoch.
	Buckets map[int64]int `json:"buckets,omitempty"`
	// Fired is the article that made the rule go off last, and At its time: it
	// does not go off again within a window.
	Fired string    `json:"fired,omitempty"`
	At    time.Time `json:"at,omitzero"`
	// Reason is what was told then.
	Reason *news.Reason `json:"reason,omitempty"`
}

// Counted is an article that was counted.
type Counted struct {
	Article string `json:"a"`
	At      int64  `json:"t"` // Unix seconds
}

// Add counts an article that matches. It returns the reason to tell of it, or
// nil, and whether t has changed.
func (t *Counts) Add(r *news.Rule, a *news.Article, now time.Time) (reason *news.Reason, changed bool) {
	if t.Fired == a.ID {
		return t.Reason, false // once more, after a crash or as a new revision
	}
	if slices.ContainsFunc(t.Recent, func(x Counted) bool { return x.Article == a.ID }) {
		return nil, false
	}
	window, history := Windows(r)
	at := a.Time()
	if at.After(now.Add(early)) {
		at = now
	}
	if at.Before(now.Add(-max(window, history))) {
		return nil, false // from an archive: it says nothing of now
	}
	t.Recent = append(t.Recent, Counted{a.ID, at.Unix()})
	slices.SortStableFunc(t.Recent, func(x, y Counted) int { return cmp.Compare(x.At, y.At) })
	if history > 0 {
		if t.Buckets == nil {
			t.Buckets = make(map[int64]int)
		}
		t.Buckets[Bucket(at, window)]++
	}
	t.forget(now, window, history)
	if at.Before(now.Add(-window)) {
		return nil, true
	}
	// What counts is the window that ends with the newest article.
	end := at
	if last := time.Unix(t.Recent[len(t.Recent)-1].At, 0); last.After(end) {
		end = last
	}
	n := 0
	for _, x := range t.Recent {
		if x.At > end.Add(-window).Unix() {
			n++
		}
	}
	if !t.At.IsZero() && at.Before(t.At.Add(window)) {
		return nil, true
	}
	if why := t.judge(r, n, end); why != nil {
		t.Fired, t.At, t.Reason = a.ID, at, why
		return why, true
	}
	return nil, true
}

// Bucket returns the number of the window that a time is in.
func Bucket(t time.Time, window time.Duration) int64 {
	return t.Unix() / max(int64(window/time.Second), 1)
}

// forget drops what is no longer needed.
func (t *Counts) forget(now time.Time, window, history time.Duration) {
	old := len(t.Recent) - kept
	for old > 0 && t.Recent[old-1].At > now.Add(-window).Unix() {
		old-- // still within the window
	}
	if old = max(old, len(t.Recent)-most); old > 0 {
		t.Recent = slices.Delete(t.Recent, 0, old)
	}
	first := Bucket(now.Add(-history), window)
	for b := range t.Buckets {
		if b < first {
			delete(t.Buckets, b)
		}
	}
}

// Windows returns how long matches are counted together, and how far back the
// rule's rhythm is taken from; both are zero for a rule that does not count.
func Windows(r *news.Rule) (window, history time.Duration) {
	switch {
	case r.Threshold != nil:
		return r.Threshold.Window.Std(), 0
	case r.Spike != nil:
		return r.Spike.Window.Std(), cmp.Or(r.Spike.History, news.SpikeHistory).Std()
	}
	return 0, 0
}

// judge returns why n matches in the window that ends at end are worth telling,
// or nil.
func (t *Counts) judge(r *news.Rule, n int, end time.Time) *news.Reason {
	if r.Threshold != nil {
		if n < r.Threshold.Count {
			return nil
		}
		return &news.Reason{Kind: news.ReasonThreshold, Count: n, Window: r.Threshold.Window}
	}
	expected, spread, known := t.rhythm(r, end)
	factor := cmp.Or(r.Spike.Factor, news.SpikeFactor)
	least := cmp.Or(r.Spike.Least, news.SpikeLeast)
	if !known || n < least || float64(n) < factor*expected || float64(n) < expected+3*spread {
		return nil
	}
	return &news.Reason{Kind: news.ReasonSpike, Count: n, Expected: math.Round(expected*100) / 100, Window: r.Spike.Window}
}

// rhythm returns how many matches a window that ends at end usually has, and
// how much that varies: of the same hours of the days before where there are
// enough of these, since news has its hours, else of all windows.
func (t *Counts) rhythm(r *news.Rule, end time.Time) (mean, spread float64, known bool) {
	window, history := Windows(r)
	from := end.Add(-history)
	if t.Since.After(from) {
		from = t.Since
	}
	last := Bucket(end, window) - 1 // the one before is partly the present
	first := Bucket(from, window) + 1
	if last-first+1 < 10 {
		return 0, 0, false
	}
	mean, spread = t.over(first, last, 1)
	const day = 24 * time.Hour
	if perDay := int64(day / window); window < day && day%window == 0 && (last-first+1)/perDay >= 7 {
		hours := first + (last+1-first)%perDay // the same time of day as the present
		if m, s := t.over(hours, last, perDay); m > mean {
			mean, spread = m, s
		}
	}
	return mean, max(spread, math.Sqrt(mean)), true
}

func (t *Counts) over(first, last, step int64) (mean, spread float64) {
	var sum, squares, n float64
	for b := first; b <= last; b += step {
		x := float64(t.Buckets[b])
		sum, squares, n = sum+x, squares+x*x, n+1
	}
	if n == 0 {
		return 0, 0
	}
	mean = sum / n
	return mean, math.Sqrt(max(0, squares/n-mean*mean))
}

// Firsts are the entities that a rule has seen mentioned.
type Firsts struct {
	// Of is the definition of the rule that was counted.
	Of string `json:"of"`
	// Seen holds, for each entity, when it was mentioned last and by which
	// article it was told of.
	Seen map[string]Seen `json:"seen"`
}

// Seen is the mention of an entity.
type Seen struct {
	At      int64  `json:"t"` // Unix seconds
	Article string `json:"a,omitempty"`
}

// Watched returns the entities of a that r watches: those with one of the IDs
// or kinds.
func Watched(a *news.Article, ids []string, kinds []news.Kind) []string {
	var found []string
	for _, m := range a.Mentions {
		if m.Entity == "" || slices.Contains(found, m.Entity) {
			continue
		}
		if slices.Contains(ids, m.Entity) || slices.Contains(kinds, m.Kind) {
			found = append(found, m.Entity)
		}
	}
	return found
}

// Names returns what a calls the entities of some IDs, in their order.
func Names(a *news.Article, ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		for _, m := range a.Mentions {
			if m.Entity == id && m.Surface != "" {
				names[i] = m.Surface
				break
			}
		}
	}
	return names
}

// Add takes in the mentions of entities by an article at a time. It returns the
// reason to tell of it, or nil, and whether f has changed. A window of zero is
// ever; known says whether an entity that f has not seen was mentioned within
// the window before.
func (f *Firsts) Add(article string, ids []string, at time.Time, window time.Duration, known func(id string) (bool, error)) (reason *news.Reason, changed bool, err error) {
	if f.Seen == nil {
		f.Seen = make(map[string]Seen)
	}
	var fresh []string
	for _, id := range ids {
		last, ok := f.Seen[id]
		since := at.Sub(time.Unix(last.At, 0))
		switch {
		case ok && last.Article == article:
			fresh = append(fresh, id) // once more
			continue
		case ok && (window == 0 || since <= window):
			// A part of the window is near enough to remember when it was seen.
			if window > 0 && since > min(window/10, 24*time.Hour) {
				f.Seen[id], changed = Seen{At: at.Unix()}, true
			}
			continue
		}
		mark := Seen{at.Unix(), article}
		if !ok {
			before, err := known(id)
			if err != nil {
				return nil, false, err
			}
			if before {
				mark.Article = ""
			}
		}
		f.Seen[id], changed = mark, true
		if mark.Article != "" {
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return nil, changed, nil
	}
	return &news.Reason{Kind: news.ReasonFirst, Entities: fresh, Window: news.Duration(window)}, changed, nil
}
