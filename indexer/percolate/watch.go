package percolate

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
)

// watch keeps the rules as the bucket has them until ctx is done.
func (p *Percolator) watch(ctx context.Context) error {
	for {
		err := p.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errLexicon):
			continue
		}
		p.log.Warn("watch of rules interrupted, will go on", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// errLexicon says that all rules must be read and compiled anew.
var errLexicon = errors.New("the lexicon has changed")

// follow reads all rules and then every change, until the watch breaks off or
// the lexicon changes.
func (p *Percolator) follow(ctx context.Context) error {
	w, err := p.bus.KV(bus.KVRules).WatchAll(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Stop() }()  // it ends with ctx anyway
	lexicon := p.evaluator.Changed() // before, so that no change is missed
	b := newRulebook(p.evaluator)
	// In a new system no api has said yet which rules there are, not even that
	// there are none (see bus.KeyNoRule).
	complete, spoken := false, false
	update := func(e jetstream.KeyValueEntry) {
		spoken = spoken || e != nil
		complete = b.update(e) || complete
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lexicon:
			return errLexicon
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("the watch has ended")
			}
			update(e)
			// What is there already makes one new set.
			for waiting := true; waiting; {
				select {
				case e, ok := <-w.Updates():
					if !ok {
						return errors.New("the watch has ended")
					}
					update(e)
				default:
					waiting = false
				}
			}
		}
		if complete && spoken {
			p.use(b)
		}
	}
}

// use puts the rules of b in force.
func (p *Percolator) use(b *rulebook) {
	rules := b.set()
	faults := slices.SortedFunc(maps.Values(b.faults), func(x, y Fault) int { return strings.Compare(x.Rule, y.Rule) })
	p.mu.Lock()
	for _, f := range faults {
		if !slices.Contains(p.faults, f) {
			p.log.Error("rule cannot be used: mend its query", "rule", f.Rule, "err", f.Err)
		}
	}
	p.faults = faults
	p.rules.Store(rules)
	p.mu.Unlock()
	p.log.Info("rules in force", "rules", rules.Len(), "faults", len(faults))
	select {
	case <-p.loaded:
	default:
		close(p.loaded)
	}
}

// rulebook is what the bucket holds, by key.
type rulebook struct {
	evaluator *query.Evaluator
	compiled  map[string]*Rule
	faults    map[string]Fault
	// leaves are those of the rules that come into the next base.
	leaves *query.Leaves
	// base is the last set made of all rules; touched are the keys that changed
	// since, gone the rules of base that they replace.
	base    *Rules
	touched map[string]bool
	gone    map[*Rule]bool
}

// maxTouched is how many rules may change before a set is made anew: that takes
// 0.2 s of CPU time for 100,000 rules, and a single change must not wait for it.
const maxTouched = 1000

// set returns the rules as they are now.
func (b *rulebook) set() *Rules {
	if b.base == nil || len(b.touched) > maxTouched {
		b.base = NewRules(slices.Collect(maps.Values(b.compiled)))
		b.leaves = query.NewLeaves()
		clear(b.touched)
		clear(b.gone)
		return b.base
	}
	var recent []*Rule
	for key := range b.touched {
		if r := b.compiled[key]; r != nil {
			recent = append(recent, r)
		}
	}
	return b.base.with(recent, maps.Clone(b.gone))
}

func newRulebook(e *query.Evaluator) *rulebook {
	return &rulebook{
		evaluator: e, compiled: make(map[string]*Rule), faults: make(map[string]Fault), leaves: query.NewLeaves(),
		touched: make(map[string]bool), gone: make(map[*Rule]bool),
	}
}

// update takes in one entry; nil marks the end of what was there, and then the
// result is true.
func (b *rulebook) update(e jetstream.KeyValueEntry) bool {
	if e == nil {
		return true
	}
	key := e.Key()
	if b.base != nil && !b.touched[key] {
		b.touched[key] = true
		if r := b.compiled[key]; r != nil {
			b.gone[r] = true
		}
	}
	delete(b.compiled, key)
	delete(b.faults, key)
	if e.Operation() != jetstream.KeyValuePut {
		return false
	}
	var r news.Rule
	if err := json.Unmarshal(e.Value(), &r); err != nil {
		b.faults[key] = Fault{key, err.Error()}
		return false
	}
	if r.Disabled {
		return false
	}
	compiled, err := Compile(r, b.evaluator, b.leaves)
	if err != nil {
		b.faults[key] = Fault{r.ID, err.Error()}
		return false
	}
	b.compiled[key] = compiled
	return false
}
