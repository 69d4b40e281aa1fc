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
	complete := false
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
			complete = b.update(e) || complete
			// What is there already makes one new set.
			for waiting := true; waiting; {
				select {
				case e, ok := <-w.Updates():
					if !ok {
						return errors.New("the watch has ended")
					}
					complete = b.update(e) || complete
				default:
					waiting = false
				}
			}
		}
		if complete {
			p.use(b)
		}
	}
}

// use puts the rules of b in force.
func (p *Percolator) use(b *rulebook) {
	rules := NewRules(slices.Collect(maps.Values(b.compiled)))
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
}

func newRulebook(e *query.Evaluator) *rulebook {
	return &rulebook{evaluator: e, compiled: make(map[string]*Rule), faults: make(map[string]Fault)}
}

// update takes in one entry; nil marks the end of what was there, and then the
// result is true.
func (b *rulebook) update(e jetstream.KeyValueEntry) bool {
	if e == nil {
		return true
	}
	key := e.Key()
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
	compiled, err := Compile(r, b.evaluator)
	if err != nil {
		b.faults[key] = Fault{r.ID, err.Error()}
		return false
	}
	b.compiled[key] = compiled
	return false
}
