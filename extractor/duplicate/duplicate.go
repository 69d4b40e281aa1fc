// Package duplicate finds articles that say the same: exact copies, copies
// converted to another script, and those that a syndicating medium cut or
// changed a little. In go texts, out comes the article that had the text first.
//
// A text is folded (package han), so that script, case and width do not count,
// and cut into shingles: runs of four Han characters, or three words of other
// scripts. A sketch of minimum hashes stands for the set of shingles; articles
// that share a band of it are compared sketch by sketch.
package duplicate

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"unicode"

	"xinwen/news/han"
)

const (
	bands    = 24
	rowsEach = 4
	hashes   = bands * rowsEach
	// minShingles is how many a text must have to be compared at all.
	minShingles = 12
	// leadShingles is how many of the first shingles stand for the lead.
	leadShingles = 60
)

// Fingerprint stands for a text: for all of it, and for its first part, by which
// a copy is known that keeps only the lead.
type Fingerprint struct {
	whole, lead [hashes]uint32
	// shingles is how many the text has; 0 means that it is too short to tell.
	shingles int
}

// Of returns the fingerprint of a text.
func Of(text string) Fingerprint {
	var f Fingerprint
	for i := range f.whole {
		f.whole[i], f.lead[i] = ^uint32(0), ^uint32(0)
	}
	n := 0
	eachShingle(han.FoldString(text), func(h uint64) bool {
		for i := range f.whole {
			// Multiply and shift by an odd number of each place.
			x := uint32((h*multipliers[i] + multipliers[(i+7)%hashes]) >> 32)
			f.whole[i] = min(f.whole[i], x)
			if n < leadShingles {
				f.lead[i] = min(f.lead[i], x)
			}
		}
		n++
		return n < 4000
	})
	if n >= minShingles {
		f.shingles = n
	}
	return f
}

var multipliers = func() (m [hashes]uint64) {
	x := uint64(0x9e3779b97f4a7c15)
	for i := range m {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		m[i] = x | 1
	}
	return m
}()

// eachShingle calls f with the hash of each shingle until it returns false.
func eachShingle(s string, f func(uint64) bool) {
	var window []string
	flush := func() { window = window[:0] }
	push := func(w string, size int) bool {
		window = append(window, w)
		if len(window) > size {
			window = window[1:]
		}
		if len(window) < size {
			return true
		}
		h := fnv.New64a()
		for _, w := range window {
			_, _ = h.Write([]byte(w)) // never fails
			_, _ = h.Write([]byte{0})
		}
		return f(h.Sum64())
	}
	wide := false
	word := func(w string, han bool) bool {
		if han != wide {
			flush()
			wide = han
		}
		if han {
			return push(w, 4)
		}
		return push(w, 3)
	}
	start := -1
	for i, r := range s {
		letter := unicode.IsLetter(r) || unicode.IsNumber(r)
		if start >= 0 && (!letter || han.IsHan(r)) {
			if !word(s[start:i], false) {
				return
			}
			start = -1
		}
		switch {
		case han.IsHan(r):
			if !word(string(r), true) {
				return
			}
		case letter && start < 0:
			start = i
		}
	}
	if start >= 0 {
		word(s[start:], false)
	}
}

// Likeness returns the share of shingles that two texts have in common, as far
// as their sketches tell, from 0 to 1. Where one begins as the other does and is
// held in it as a whole, it is the share of the shorter one.
func Likeness(a, b *Fingerprint) float64 {
	if a.shingles == 0 || b.shingles == 0 {
		return 0
	}
	whole := same(&a.whole, &b.whole)
	if same(&a.lead, &b.lead) < 0.7 {
		return whole
	}
	held := whole * float64(a.shingles+b.shingles) / ((1 + whole) * float64(min(a.shingles, b.shingles)))
	if held >= 0.6 {
		return max(whole, min(held, 1))
	}
	return whole
}

func same(a, b *[hashes]uint32) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return float64(n) / hashes
}

// Threshold is the likeness from which on two texts are duplicates.
const Threshold = 0.5

// Match is what an article is a duplicate of.
type Match struct {
	// ID is the article that had the text first, Publisher who published it.
	ID, Publisher string
	Likeness      float64
}

// Index holds the fingerprints of the last articles. It is safe for concurrent
// use.
type Index struct {
	mu    sync.Mutex
	limit int
	// ring are the entries in order of coming; next is the place of the oldest.
	ring  []entry
	next  int
	byID  map[string]int
	bands map[uint64][]int // places in ring
}

type entry struct {
	id, publisher string
	print         Fingerprint
	first         Match // what it is a copy of, if it is one
}

// NewIndex returns an index of at most limit articles; older ones are
// forgotten.
func NewIndex(limit int) *Index {
	return &Index{limit: max(limit, 1), byID: make(map[string]int), bands: make(map[uint64][]int)}
}

// Len returns the number of articles in x.
func (x *Index) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.byID)
}

// Add looks up a text and then adds it under id. It returns what the text is a
// duplicate of, which is never id itself; adding an ID again replaces its text.
func (x *Index) Add(id, publisher, text string) (Match, bool) {
	f := Of(text)
	if f.shingles == 0 {
		return Match{}, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	best, place := Match{}, -1
	seen := make(map[int]bool)
	for _, k := range keys(&f) {
		for _, i := range x.bands[k] {
			e := &x.ring[i]
			if seen[i] || e.id == id {
				continue
			}
			seen[i] = true
			if l := Likeness(&f, &e.print); l >= Threshold && (place < 0 || l > best.Likeness) {
				best, place = Match{ID: e.id, Publisher: e.publisher, Likeness: l}, i
			}
		}
	}
	own := entry{id: id, publisher: publisher, print: f}
	if place >= 0 {
		// A copy of a copy leads to the first one.
		if first := &x.ring[place]; first.first.ID != "" {
			best.ID, best.Publisher = first.first.ID, first.first.Publisher
		}
		if best.ID == id {
			best, place = Match{}, -1
		} else {
			own.first = best
		}
	}
	x.put(own)
	return best, place >= 0
}

func (x *Index) put(e entry) {
	if i, ok := x.byID[e.id]; ok {
		x.drop(i)
		x.ring[i] = e
		x.enter(i)
		return
	}
	i := x.next
	if len(x.ring) < x.limit {
		i = len(x.ring)
		x.ring = append(x.ring, e)
	} else {
		x.drop(i)
		x.ring[i] = e
		x.next = (i + 1) % x.limit
	}
	x.enter(i)
}

func (x *Index) enter(i int) {
	x.byID[x.ring[i].id] = i
	for _, k := range keys(&x.ring[i].print) {
		if l := x.bands[k]; len(l) < 64 && !slices.Contains(l, i) {
			x.bands[k] = append(l, i)
		}
	}
}

func (x *Index) drop(i int) {
	delete(x.byID, x.ring[i].id)
	for _, k := range keys(&x.ring[i].print) {
		l := slices.DeleteFunc(x.bands[k], func(j int) bool { return j == i })
		if len(l) == 0 {
			delete(x.bands, k)
		} else {
			x.bands[k] = l
		}
	}
}

// keys are the bands of both sketches.
func keys(f *Fingerprint) []uint64 {
	out := make([]uint64, 0, 2*bands)
	var b [4 * rowsEach]byte
	for k, sketch := range [...]*[hashes]uint32{&f.whole, &f.lead} {
		for i := range bands {
			for j := range rowsEach {
				binary.LittleEndian.PutUint32(b[4*j:], sketch[i*rowsEach+j])
			}
			h := fnv.New64a()
			_, _ = h.Write(b[:])                     // never fails
			_, _ = h.Write([]byte{byte(k), byte(i)}) // …
			out = append(out, h.Sum64())
		}
	}
	return out
}

// Words joins title and text as they are compared: the title alone does not make
// a duplicate, so it is left out where there is enough text.
func Words(title, text string) string {
	if len(text) < 200 {
		return title + "\n" + text
	}
	return strings.TrimSpace(text)
}
