package percolate

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

// tally is what a rule has counted. It is kept in KV, where every change is
// written before anything is told, so that a restart neither loses nor doubles
// a match.
type tally struct {
	// Of is the definition of the rule that was counted.
	Of string `json:"of"`
	// Since is from when on everything has been counted.
	Since time.Time `json:"since"`
	// Recent are the articles counted last, by time.
	Recent []counted `json:"recent,omitempty"`
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

type counted struct {
	Article string `json:"a"`
	At      int64  `json:"t"` // Unix seconds
}

// add counts an article that matches. It returns the reason to tell of it, or
// nil, and whether t has changed.
func (t *tally) add(c *condition, a *news.Article, now time.Time) (reason *news.Reason, changed bool) {
	if t.Fired == a.ID {
		return t.Reason, false // once more, after a crash or as a new revision
	}
	if slices.ContainsFunc(t.Recent, func(x counted) bool { return x.Article == a.ID }) {
		return nil, false
	}
	window, history := c.windows()
	at := a.Time()
	if at.After(now.Add(early)) {
		at = now
	}
	if at.Before(now.Add(-max(window, history))) {
		return nil, false // from an archive: it says nothing of now
	}
	t.Recent = append(t.Recent, counted{a.ID, at.Unix()})
	slices.SortStableFunc(t.Recent, func(x, y counted) int { return cmp.Compare(x.At, y.At) })
	if history > 0 {
		if t.Buckets == nil {
			t.Buckets = make(map[int64]int)
		}
		t.Buckets[bucket(at, window)]++
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
	if r := c.judge(t, n, end); r != nil {
		t.Fired, t.At, t.Reason = a.ID, at, r
		return r, true
	}
	return nil, true
}

func bucket(t time.Time, window time.Duration) int64 {
	return t.Unix() / max(int64(window/time.Second), 1)
}

// forget drops what is no longer needed.
func (t *tally) forget(now time.Time, window, history time.Duration) {
	old := len(t.Recent) - kept
	for old > 0 && t.Recent[old-1].At > now.Add(-window).Unix() {
		old-- // still within the window
	}
	if old = max(old, len(t.Recent)-most); old > 0 {
		t.Recent = slices.Delete(t.Recent, 0, old)
	}
	first := bucket(now.Add(-history), window)
	for b := range t.Buckets {
		if b < first {
			delete(t.Buckets, b)
		}
	}
}

// windows returns how long matches are counted together, and how far back the
// rule's rhythm is taken from.
func (c *condition) windows() (window, history time.Duration) {
	if c.threshold != nil {
		return c.threshold.Window.Std(), 0
	}
	return c.spike.Window.Std(), cmp.Or(c.spike.History, news.SpikeHistory).Std()
}

// judge returns why n matches in the window that ends at end are worth telling,
// or nil.
func (c *condition) judge(t *tally, n int, end time.Time) *news.Reason {
	if c.threshold != nil {
		if n < c.threshold.Count {
			return nil
		}
		return &news.Reason{Kind: news.ReasonThreshold, Count: n, Window: c.threshold.Window}
	}
	expected, spread, known := t.rhythm(c, end)
	factor := cmp.Or(c.spike.Factor, news.SpikeFactor)
	least := cmp.Or(c.spike.Least, news.SpikeLeast)
	if !known || n < least || float64(n) < factor*expected || float64(n) < expected+3*spread {
		return nil
	}
	return &news.Reason{Kind: news.ReasonSpike, Count: n, Expected: math.Round(expected*100) / 100, Window: c.spike.Window}
}

// rhythm returns how many matches a window that ends at end usually has, and
// how much that varies: of the same hours of the days before where there are
// enough of these, since news has its hours, else of all windows.
func (t *tally) rhythm(c *condition, end time.Time) (mean, spread float64, known bool) {
	window, history := c.windows()
	from := end.Add(-history)
	if t.Since.After(from) {
		from = t.Since
	}
	last := bucket(end, window) - 1 // the one before is partly the present
	first := bucket(from, window) + 1
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

func (t *tally) over(first, last, step int64) (mean, spread float64) {
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

// firsts are the entities that a rule has seen mentioned.
type firsts struct {
	Of string `json:"of"`
	// Seen holds, for each entity, when it was mentioned last and by which
	// article it was told of.
	Seen map[string]seen `json:"seen"`
}

type seen struct {
	At      int64  `json:"t"` // Unix seconds
	Article string `json:"a,omitempty"`
}

// candidates returns the entities of a that c watches.
func (c *condition) candidates(a *news.Article) []string {
	var ids []string
	for _, m := range a.Mentions {
		if m.Entity == "" || slices.Contains(ids, m.Entity) {
			continue
		}
		if slices.Contains(c.watched, m.Entity) || slices.Contains(c.first.Kinds, m.Kind) {
			ids = append(ids, m.Entity)
		}
	}
	return ids
}
