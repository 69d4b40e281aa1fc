package crawler

import (
	"context"
	"sync"
	"time"

	"xinwen/crawler/source"
)

// followed is a way that a goroutine follows.
type followed struct {
	source *source.Source
	way    way
	cancel context.CancelFunc
	ended  chan struct{}
}

// askWay asks for a poll of a way that is followed; c.mu is held.
func (c *Crawler) askWay(f *followed, deep bool) {
	c.memories.mu.Lock()
	m := c.memories.all[f.way.key(f.source)]
	c.memories.mu.Unlock()
	if m != nil {
		m.ask(deep)
	}
}

// manage follows the ways into the current sources, and others when the file
// changes or more ways are discovered.
func (c *Crawler) manage(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	again := time.NewTicker(time.Hour)
	defer again.Stop()
	for {
		set, changed := c.sources.Current()
		if err := c.openStates(ctx, set); err != nil {
			return err
		}
		if err := c.states.prune(ctx, set); err != nil && ctx.Err() == nil {
			c.log.Warn("states of former sources not removed", "err", err)
		}
		c.reconcile(ctx, &wg, set)
		c.flush(ctx, false)
		select {
		case <-changed:
		case <-c.rescan:
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// reconcile starts to follow what is new in set, and stops what is gone or has
// changed.
func (c *Crawler) reconcile(ctx context.Context, wg *sync.WaitGroup, set *source.Set) {
	want := make(map[string]followed)
	enabled := 0
	for _, src := range set.All() {
		if !src.Enabled || !c.owns(partOf(src)) {
			continue
		}
		enabled++
		for _, w := range c.knownWays(ctx, src) {
			want[w.key(src)] = followed{source: src, way: w}
		}
		if src.Discover {
			c.searchLater(ctx, wg, src)
		}
	}
	c.metrics.following.Set(float64(enabled))
	c.mu.Lock()
	var stopped []*followed
	for key, f := range c.following {
		if w, ok := want[key]; !ok || w.source != f.source {
			f.cancel()
			stopped = append(stopped, f)
			delete(c.following, key)
		}
	}
	c.mu.Unlock()
	for _, f := range stopped {
		<-f.ended
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, f := range want {
		if c.following[key] != nil {
			continue
		}
		part := c.parts[partOf(f.source)]
		if part == nil {
			continue // given up meanwhile
		}
		run, cancel := part.child()
		f.cancel, f.ended = cancel, make(chan struct{})
		c.following[key] = &f
		wg.Go(func() {
			defer close(f.ended)
			defer cancel()
			c.follow(run, f.source, f.way)
		})
	}
}

// searchLater searches a source for ways in, if that is due, and tells manage.
func (c *Crawler) searchLater(ctx context.Context, wg *sync.WaitGroup, src *source.Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.searching[src.ID] || !c.discoveryOf(ctx, src).due(time.Now()) {
		return
	}
	c.searching[src.ID] = true
	wg.Go(func() {
		err := c.search(ctx, src)
		c.mu.Lock()
		delete(c.searching, src.ID)
		c.mu.Unlock()
		if err != nil {
			if ctx.Err() == nil {
				c.log.Warn("ways into a source not discovered, will retry", "source", src.ID, "err", err)
			}
			return
		}
		c.scanAgain()
	})
}
