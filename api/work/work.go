// Package work knows what takes long and how far it is: imports, by what their
// clients say and what was taken of them, and backlogs, by looking at their
// counters now and again.
//
// Figures are those of one process: an import shows in the api that takes it.
package work

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is a kind of long work.
type Kind string

// The kinds, in the order in which an article goes through them.
const (
	Import   Kind = "import"   // taken from a client
	Extract  Kind = "extract"  // pages that wait for the extractor
	Index    Kind = "index"    // articles that wait for the index
	Rebuild  Kind = "rebuild"  // a fresh index that is filled
	Backtest Kind = "backtest" // articles put through a rule
)

var kinds = []Kind{Import, Extract, Index, Rebuild, Backtest}

// State is how far a piece of work is.
type State struct {
	Kind Kind
	// Name is what the client calls it, or "".
	Name string
	// Count is what was done since it began, Refused what was not taken.
	Count, Refused uint64
	// Done and All measure the way, in a unit of their own; All is 0 where the end
	// is not known.
	Done, All uint64
	// Rate is in things a second, 0 while it is not known; so is Left.
	Rate float64
	Left time.Duration
}

const (
	// window is over which time rates are taken.
	window = time.Minute
	// apart is how close looks at a counter may be to count as two.
	apart = 500 * time.Millisecond
	// maxImports bounds the imports that are remembered; more are taken, but not
	// shown.
	maxImports = 100
	// idle is after which silence an import has ended. Its client sends batches.
	idle = 15 * time.Second
)

// Board is where work in progress is written up. The zero value is ready, and
// its methods may be called at the same time.
type Board struct {
	mu      sync.Mutex
	jobs    map[string]*Job
	meters  map[Kind]*meter
	unnamed uint64
}

// Job is work that this process does.
type Job struct {
	board *Board
	State
	began, last time.Time
	running     int
}

// Begin writes up work that comes in parts with the same ID, or, with an empty
// one, in one part. Done and all are how far it is and where it ends, 0 where that
// is not known. End must follow. Begin never returns nil.
func (b *Board) Begin(kind Kind, id, name string, done, all uint64) *Job {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	now := time.Now()
	key := fmt.Sprintf("%s %q", kind, id)
	if id == "" {
		b.unnamed++
		key = fmt.Sprintf("%s number %d", kind, b.unnamed)
	}
	j := b.jobs[key]
	if j == nil {
		j = &Job{board: b, State: State{Kind: kind, Name: name}, began: now}
		if len(b.jobs) < maxImports {
			if b.jobs == nil {
				b.jobs = make(map[string]*Job)
			}
			b.jobs[key] = j
		}
	}
	j.Done, j.All, j.last = max(j.Done, done), all, now
	j.running++
	return j
}

// Of says where the way ends, when that has become known.
func (j *Job) Of(all uint64) {
	j.board.mu.Lock()
	defer j.board.mu.Unlock()
	j.All = all
}

// Add says that so much more was done and refused, and that the way was so much
// further.
func (j *Job) Add(count, refused, done uint64) {
	j.board.mu.Lock()
	defer j.board.mu.Unlock()
	j.Count += count
	j.Refused += refused
	j.Done += done
	j.last = time.Now()
}

// End says that the part has ended.
func (j *Job) End() {
	j.board.mu.Lock()
	defer j.board.mu.Unlock()
	j.running--
	j.last = time.Now()
}

// ended reports whether no further part of the job is to be expected.
func (j *Job) ended(now time.Time) bool {
	return j.running == 0 && (j.All > 0 && j.Done >= j.All || now.Sub(j.last) > idle)
}

// forget drops what has ended.
func (b *Board) forget() {
	now := time.Now()
	for key, j := range b.jobs {
		if j.ended(now) {
			delete(b.jobs, key)
		}
	}
}

// Watch looks at a counter of what was done and at how much of it waits. Work has
// begun with the first look at which something waited, and has ended when nothing
// waits any more. Rates need two looks.
func (b *Board) Watch(kind Kind, done, waiting uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	m := b.meters[kind]
	if waiting == 0 {
		delete(b.meters, kind)
		return
	}
	if m == nil || done < m.last().done || now.Sub(m.last().at) > window {
		m = &meter{start: done}
		if kind == Rebuild {
			m.start = 0 // a fresh index begins with nothing
		}
		if b.meters == nil {
			b.meters = make(map[Kind]*meter)
		}
		b.meters[kind] = m
	}
	m.waiting = waiting
	m.look(now, done)
}

// States returns the work in progress.
func (b *Board) States() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	var out []State
	now := time.Now()
	for _, j := range b.jobs {
		s := j.State
		if took := now.Sub(j.began); took > apart {
			s.Rate = float64(s.Count) / took.Seconds()
			if s.Done > 0 && s.All > s.Done {
				s.Left = time.Duration(float64(took) / float64(s.Done) * float64(s.All-s.Done))
			}
		}
		out = append(out, s)
	}
	for kind, m := range b.meters {
		if now.Sub(m.last().at) < window {
			out = append(out, m.state(kind))
		}
	}
	slices.SortFunc(out, func(a, b State) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), strings.Compare(a.Name, b.Name))
	})
	return out
}

// meter takes the rate of a counter from looks at it.
type meter struct {
	start, waiting uint64
	looks          []look
}

type look struct {
	at   time.Time
	done uint64
}

func (m *meter) last() look { return m.looks[len(m.looks)-1] }

func (m *meter) look(now time.Time, done uint64) {
	if n := len(m.looks); n > 1 && now.Sub(m.looks[n-2].at) < apart {
		m.looks = m.looks[:n-1]
	}
	m.looks = append(m.looks, look{now, done})
	for len(m.looks) > 2 && now.Sub(m.looks[1].at) > window {
		m.looks = m.looks[1:]
	}
}

func (m *meter) state(kind Kind) State {
	first, last := m.looks[0], m.last()
	s := State{Kind: kind, Count: last.done - m.start, Done: last.done - m.start, All: last.done - m.start + m.waiting}
	if took := last.at.Sub(first.at); took >= apart {
		s.Rate = float64(last.done-first.done) / took.Seconds()
	}
	if s.Rate > 0 {
		s.Left = time.Duration(float64(m.waiting) / s.Rate * float64(time.Second))
	}
	return s
}
