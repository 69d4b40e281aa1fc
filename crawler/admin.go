package crawler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

const (
	// probing bounds the requests about sources that are answered at a time,
	// probesWaiting those that wait, probeFor the time for one.
	probing       = 2
	probesWaiting = 8
	probeFor      = time.Minute
)

// administer answers requests about sources: what there is to follow at an
// address, how well a source does, and what the definition of a new one is.
func (c *Crawler) administer(ctx context.Context) error {
	return c.opts.Bus.Serve(ctx, bus.ServiceConfig{
		Name: "xinwen-crawler", About: "Finds, probes and defines sources.", Workers: probing, Waiting: probesWaiting, Timeout: probeFor,
		Endpoints: map[string]bus.Answerer{
			bus.SubjectDiscover: asked(c.answerDiscover),
			bus.SubjectVerify:   asked(c.answerVerify),
			bus.SubjectDefine:   asked(c.answerDefine),
		},
	})
}

// asked decodes a request.
func asked[T any](answer func(context.Context, T) (any, error)) bus.Answerer {
	return func(ctx context.Context, request []byte) (any, error) {
		var in T
		if err := json.Unmarshal(request, &in); err != nil {
			return nil, &bus.Refusal{Status: 400, Message: "The request cannot be read: " + err.Error() + "."}
		}
		return answer(ctx, in)
	}
}

// refused makes a refusal of a failure that is the asker's.
func refused(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return &bus.Refusal{Status: 400, Message: f.Error(), Advice: f.hint}
	}
	return err
}

// answerDiscover looks at an address. What takes too long is left out, so that
// what was found is told.
func (c *Crawler) answerDiscover(ctx context.Context, in news.Way) (any, error) {
	ctx, cancel := early(ctx)
	defer cancel()
	d, err := c.explore(ctx, in.URL)
	if err != nil {
		return nil, refused(err)
	}
	c.log.Info("address searched for ways in", "url", d.URL, "candidates", len(d.Candidates), "took", d.Took)
	return d, nil
}

// early returns a context that ends a moment before ctx, so that there is time for
// the answer.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
}

func (c *Crawler) answerVerify(ctx context.Context, id string) (any, error) {
	set, _ := c.sources.Current()
	src := set.Source(id)
	if src == nil {
		return nil, &bus.Refusal{Status: 404, Message: "There is no source " + id + ".", Advice: "See /v1/sources for those that there are."}
	}
	ctx, cancel := early(ctx)
	defer cancel()
	return c.verify(ctx, src, true), nil
}

// answerDefine checks the definition of a new source, or makes one.
func (c *Crawler) answerDefine(ctx context.Context, in news.SourceDraft) (any, error) {
	set, _ := c.sources.Current()
	if in.Definition == "" {
		made, err := c.define(ctx, set, in)
		if err != nil {
			return nil, refused(err)
		}
		in.Definition = made
	}
	src, err := source.ParseOne("definition", []byte(in.Definition))
	switch {
	case err != nil:
		return nil, &bus.Refusal{Status: 400, Message: err.Error(), Advice: "Write it as an entry of sources.yaml."}
	case set.Source(src.ID) != nil:
		return nil, &bus.Refusal{Status: 409, Message: "There is a source " + src.ID + " already.", Advice: "Choose another id, or switch that one on."}
	case src.Proxy != "":
		return nil, &bus.Refusal{Status: 400, Message: "A source that is added so cannot name a proxy, which could lead anywhere.", Advice: "Put it into the file of sources."}
	}
	return news.SourceChange{Version: news.Version, ID: src.ID, Definition: in.Definition}, nil
}

// define makes the definition of a draft.
func (c *Crawler) define(ctx context.Context, set *source.Set, in news.SourceDraft) (string, error) {
	address, err := completeAddress(in.URL)
	if err != nil {
		return "", err
	}
	if len(in.Ways) == 0 {
		d, err := c.explore(ctx, address)
		if err != nil {
			return "", err
		}
		best := bestOf(d.Candidates)
		if len(best) == 0 {
			return "", &failure{
				fmt.Errorf("nothing to follow was found at %s: %s", address, cmp.Or(strings.Join(d.Remarks, "; "), "no feed, no sitemap, and no page with links to articles")),
				"give the address of a feed, or of the page that lists the articles",
			}
		}
		in.Ways = best
		in.ID, in.Name = cmp.Or(in.ID, d.ID), cmp.Or(in.Name, d.Name)
		in.Lang, in.Script = cmp.Or(in.Lang, d.Lang), cmp.Or(in.Script, d.Script)
	}
	home := originOf(address)
	src := &source.Source{Home: home, Name: in.Name, Lang: in.Lang, Script: in.Script, TimeZone: zoneOf(in.Script)}
	if src.ID = in.ID; src.ID == "" {
		d := news.Discovery{Home: home}
		c.propose(&d, nil)
		src.ID = d.ID
	}
	for _, w := range in.Ways {
		u, err := completeAddress(w.URL)
		if err != nil {
			return "", err
		}
		switch w.Kind {
		case kindFeed:
			src.Feeds = append(src.Feeds, u)
		case kindSitemap:
			src.Sitemaps = append(src.Sitemaps, u)
		case kindListPage:
			src.ListPages = append(src.ListPages, source.ListPage{URL: u})
		case kindURL:
			src.URLs = append(src.URLs, u)
		default:
			return "", &failure{fmt.Errorf("there is no way of kind %q", w.Kind), "use feed, sitemap, list_page or url"}
		}
	}
	made, err := source.Define(src)
	return string(made), err
}

// bestOf returns the ways that a new source is read by if nobody chooses: the best
// feed and the best sitemap, or for want of both the list page.
func bestOf(candidates []news.Probe) []news.Way {
	var best []news.Way
	for _, kind := range []string{kindFeed, kindSitemap} {
		i := slices.IndexFunc(candidates, func(p news.Probe) bool { return p.Kind == kind && p.Items > 0 })
		if i >= 0 && (kind == kindFeed || len(best) == 0) {
			best = append(best, candidates[i].Way)
		}
	}
	if len(best) > 0 {
		return best
	}
	for _, p := range candidates {
		if p.Kind == kindListPage && p.Items > 0 {
			return []news.Way{p.Way}
		}
	}
	return nil
}

// zoneOf returns the zone of times that name none, on sites in a script.
func zoneOf(script string) string {
	switch script {
	case news.ScriptHans:
		return "Asia/Shanghai"
	case news.ScriptHant:
		return "Asia/Taipei"
	}
	return ""
}

// freeID returns id, or with a number if it is taken.
func freeID(set *source.Set, id string) string {
	free := id
	for n := 2; set.Source(free) != nil; n++ {
		free = id + "-" + strconv.Itoa(n)
	}
	return free
}

// watchChanges lays the changes in the bucket "source-changes" over the file of
// sources, whenever there are others. It calls ready when the first are laid.
func (c *Crawler) watchChanges(ctx context.Context, ready func()) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		if err := c.followChanges(ctx, ready); err != nil && ctx.Err() == nil {
			c.log.Warn("changes of sources not read, will retry", "err", err)
			sleep(ctx, wait)
		}
	}
}

func (c *Crawler) followChanges(ctx context.Context, ready func()) error {
	w, err := c.opts.Bus.KV(bus.KVSourceChanges).WatchAll(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Stop() }() // only reading
	changes := make(map[string]news.SourceChange)
	whole := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return errors.New("the watch ended")
			case e == nil:
				whole = true
			case e.Operation() != jetstream.KeyValuePut:
				delete(changes, e.Key())
			default:
				change, err := news.ParseSourceChange(e.Value())
				if err != nil {
					c.log.Warn("change of a source not followed", "key", e.Key(), "err", err)
					continue
				}
				changes[e.Key()] = *change
			}
		}
		if !whole {
			continue
		}
		byID := make(map[string]news.SourceChange, len(changes))
		for _, change := range changes {
			byID[change.ID] = change
		}
		c.sources.Change(byID)
		if ready != nil {
			ready()
			ready = nil
		}
	}
}
