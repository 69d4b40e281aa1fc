package story

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Bounds of a Tracker.
const (
	// maxItems is the number of articles it remembers, maxAge how long.
	maxItems = 10_000
	maxAge   = 120 * time.Hour
	// maxCandidates is how many articles a new one is compared with, the most
	// promising first. They are looked for by the maxKeys features that weigh
	// most, among at most maxVisits articles.
	maxCandidates = 20
	maxKeys       = 40
	maxVisits     = 3000
	// leastOverlap is the share of these features by weight that an article must
	// have to be compared.
	leastOverlap = 0.1
	// maxMembers is how many of a story's articles are looked at.
	maxMembers = 40
)

// Thresholds of similarity, chosen on one half of the gold set.
const (
	joins  = 0.38 // a new article with a story
	merges = 0.42 // two stories through a new article that suits both
	loose  = 0.16 // the mean over all pairs of two stories that may be one
)

// Change says to which story an article belongs from now on; "" if to none.
type Change struct{ Article, Story string }

// Tracker knows the articles of the last days and their stories. It is for one
// goroutine.
type Tracker struct {
	items map[string]*member
	// order holds the members in order of seq; those before first have left.
	order   []*member
	first   int
	floor   uint64
	known   map[uint64]*known    // by feature
	stories map[string][]*member // in order of seq
}

type member struct {
	*Item
	story   string
	gone    bool
	overlap float64 // with the article that candidates are sought for
}

// known is what a tracker knows of a feature: the articles that have it.
type known struct{ members []*member }

// NewTracker returns a tracker that knows nothing yet. Articles up to floor have
// left it before: see Floor.
func NewTracker(floor uint64) *Tracker {
	return &Tracker{
		floor: floor,
		items: make(map[string]*member), known: make(map[uint64]*known), stories: make(map[string][]*member),
	}
}

// Floor is the number in the stream of the last article that has left. A new
// Tracker that is given Floor and then, by Load, the articles since knows what
// this one knows.
func (t *Tracker) Floor() uint64 { return t.floor }

// Load puts an article into the story that it is known to be in. Articles come
// in order of their number.
func (t *Tracker) Load(x *Item, story string) { t.insert(&member{Item: x, story: story}) }

// Knows says whether the tracker remembers an article.
func (t *Tracker) Knows(id string) bool { return t.items[id] != nil }

// Of returns the story of an article, "" if the tracker does not remember it.
func (t *Tracker) Of(id string) string {
	if m := t.items[id]; m != nil {
		return m.story
	}
	return ""
}

// Size returns the number of articles of a story that the tracker remembers.
func (t *Tracker) Size(story string) int { return len(t.stories[story]) }

// Add finds the story of a new article, and says what else changes by it. A
// revision takes the place of the version before. Items come in the order of
// the stream.
func (t *Tracker) Add(x *Item) []Change {
	t.forget(x.arrived)
	var changes []Change
	old := ""
	if m := t.items[x.id]; m != nil {
		old = m.story
		changes = t.Remove(x.id)
	}
	m := &member{Item: x}
	found := t.candidates(x)
	switch {
	case len(found) == 0 || found[0].score < joins:
		if m.story = old; old == "" || len(t.stories[old]) > 0 {
			m.story = t.name(x.id)
		}
	default:
		m.story = found[0].story
		for _, f := range found {
			if f.story == old && f.score >= joins { // what it was in, if that still holds
				m.story = old
			}
		}
	}
	t.insert(m)
	changes = append(changes, Change{x.id, m.story})
	for _, f := range found {
		if f.score >= merges && f.story != m.story && len(t.stories[f.story]) > 0 && t.oneEvent(m.story, f.story) {
			changes = append(changes, t.merge(m.story, f.story)...)
		}
	}
	if n := len(t.stories[m.story]); n >= 8 && n&(n-1) == 0 {
		changes = append(changes, t.split(m.story)...)
	}
	return last(changes)
}

// Remove takes an article out, as it was deleted, and says what changes by it:
// what it held together may fall apart.
func (t *Tracker) Remove(id string) []Change {
	m := t.items[id]
	if m == nil {
		return nil
	}
	t.drop(m)
	return t.split(m.story)
}

// last keeps the last change of each article.
func last(changes []Change) []Change {
	seen := make(map[string]bool)
	var kept []Change
	for _, c := range slices.Backward(changes) {
		if !seen[c.Article] {
			seen[c.Article] = true
			kept = append(kept, c)
		}
	}
	slices.Reverse(kept)
	return kept
}

// name returns the ID of a story that begins with an article: that of the
// article, unless another story has it.
func (t *Tracker) name(article string) string {
	name := article
	for n := 2; len(t.stories[name]) > 0; n++ {
		name = article + "-" + strconv.Itoa(n)
	}
	return name
}

func (t *Tracker) insert(m *member) {
	t.items[m.id] = m
	t.order = append(t.order, m)
	t.stories[m.story] = append(t.stories[m.story], m)
	for i := range m.features {
		f := &m.features[i]
		if f.known = t.known[f.id]; f.known == nil {
			f.known = new(known)
			t.known[f.id] = f.known
		}
		f.known.members = append(f.known.members, m)
	}
}

// forget lets the articles leave that are too old at a time, or too many.
func (t *Tracker) forget(now time.Time) {
	for t.first < len(t.order) {
		m := t.order[t.first]
		if !m.gone && len(t.items) < maxItems && now.Sub(m.arrived) <= maxAge {
			break
		}
		if !m.gone {
			t.drop(m)
		}
		t.floor = max(t.floor, m.seq)
		t.order[t.first] = nil
		t.first++
	}
	if t.first > len(t.order)/2 {
		t.order = slices.Clone(t.order[t.first:])
		t.first = 0
	}
}

// drop takes a member out of all but order.
func (t *Tracker) drop(m *member) {
	m.gone = true
	delete(t.items, m.id)
	if t.stories[m.story] = without(t.stories[m.story], m); len(t.stories[m.story]) == 0 {
		delete(t.stories, m.story)
	}
	for i := range m.features {
		k := m.features[i].known
		if k.members = without(k.members, m); len(k.members) == 0 {
			delete(t.known, m.features[i].id)
		}
	}
}

func without(list []*member, m *member) []*member {
	if i := slices.Index(list, m); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// candidate is a story that a new article may belong to.
type candidate struct {
	story string
	score float64
}

// candidates returns the stories that look like x, best first.
func (t *Tracker) candidates(x *Item) []candidate {
	type key struct {
		*feature
		weight float64
	}
	keys := make([]key, 0, len(x.features))
	for i := range x.features {
		f := &x.features[i]
		if f.known = t.known[f.id]; f.known != nil {
			keys = append(keys, key{f, t.weight(f) * float64(f.count)})
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id)) })
	var near []*member
	visits, total := 0, 0.0
	for _, k := range keys[:min(len(keys), maxKeys)] {
		if visits += len(k.known.members); visits > maxVisits {
			break
		}
		total += k.weight
		for _, m := range k.known.members {
			if m.lang != x.lang && k.kind == wordKind {
				continue
			}
			if m.overlap == 0 {
				near = append(near, m)
			}
			m.overlap += k.weight
		}
	}
	near = promising(near, leastOverlap*total)

	var found []candidate
	for _, m := range near {
		if slices.ContainsFunc(found, func(c candidate) bool { return c.story == m.story }) {
			continue
		}
		if s := t.score(x, m.story); s > 0 {
			found = append(found, candidate{m.story, s})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.story, b.story))
	})
	return found
}

// promising returns the members that overlap most, and sets all overlaps back.
func promising(near []*member, least float64) []*member {
	few := slices.DeleteFunc(slices.Clone(near), func(m *member) bool { return m.overlap < least })
	slices.SortFunc(few, func(a, b *member) int {
		if a.overlap != b.overlap {
			return cmp.Compare(b.overlap, a.overlap)
		}
		return cmp.Compare(b.seq, a.seq)
	})
	for _, m := range near {
		m.overlap = 0
	}
	return few[:min(len(few), maxCandidates)]
}

// members returns the articles of a story that are looked at: the last ones.
func (t *Tracker) members(story string) []*member {
	list := t.stories[story]
	return list[max(len(list)-maxMembers, 0):]
}

// score says how well x suits a story: by the article that is most like it and
// by all of them.
func (t *Tracker) score(x *Item, story string) float64 {
	best, sum := 0.0, 0.0
	members := t.members(story)
	for _, m := range members {
		s := t.similarity(x, m.Item)
		best = max(best, s)
		sum += s
	}
	return 0.7*best + 0.3*sum/float64(len(members))
}

// oneEvent says whether two stories are alike enough as a whole to be one.
func (t *Tracker) oneEvent(a, b string) bool {
	sum, n := 0.0, 0
	for _, x := range t.members(a) {
		for _, y := range t.members(b) {
			sum += t.similarity(x.Item, y.Item)
			n++
		}
	}
	return n > 0 && sum/float64(n) >= loose
}

// merge makes one story of two. The older name stays.
func (t *Tracker) merge(a, b string) []Change {
	if t.stories[b][0].seq < t.stories[a][0].seq {
		a, b = b, a
	}
	return t.move(t.stories[b], a)
}

// move puts the members in list into a story.
func (t *Tracker) move(list []*member, story string) []Change {
	list = slices.Clone(list)
	changes := make([]Change, 0, len(list))
	for _, m := range list {
		if t.stories[m.story] = without(t.stories[m.story], m); len(t.stories[m.story]) == 0 {
			delete(t.stories, m.story)
		}
		m.story = story
		t.stories[story] = append(t.stories[story], m)
		changes = append(changes, Change{m.id, story})
	}
	slices.SortFunc(t.stories[story], func(a, b *member) int { return cmp.Compare(a.seq, b.seq) })
	return changes
}

// split parts a story whose articles no longer hold together. The part with the
// oldest keeps its name.
func (t *Tracker) split(story string) []Change {
	members := t.members(story)
	if len(members) < 2 {
		return nil
	}
	parts := t.parts(members)
	var changes []Change
	for _, part := range parts[1:] {
		changes = append(changes, t.move(part, t.name(part[0].id))...)
	}
	return changes
}

// parts returns the members in groups that hold together, each and all in order
// of their oldest: the two groups that are most alike become one, as long as
// they are alike on average.
func (t *Tracker) parts(members []*member) [][]*member {
	parts := make([][]*member, len(members))
	sums := make([][]float64, len(members)) // of the similarities between parts
	for i, m := range members {
		parts[i] = []*member{m}
		sums[i] = make([]float64, len(members))
		for j := range i {
			s := t.similarity(m.Item, members[j].Item)
			sums[i][j], sums[j][i] = s, s
		}
	}
	for {
		best, a, b := loose, -1, -1
		for i := range parts {
			for j := range i {
				if parts[i] == nil || parts[j] == nil {
					continue
				}
				if mean := sums[i][j] / float64(len(parts[i])*len(parts[j])); mean >= best {
					best, a, b = mean, j, i
				}
			}
		}
		if a < 0 {
			break
		}
		parts[a] = append(parts[a], parts[b]...)
		parts[b] = nil
		for k := range parts {
			sums[a][k] += sums[b][k]
			sums[k][a] = sums[a][k]
		}
	}
	parts = slices.DeleteFunc(parts, func(p []*member) bool { return p == nil })
	for _, p := range parts {
		slices.SortFunc(p, func(a, b *member) int { return cmp.Compare(a.seq, b.seq) })
	}
	return parts
}
