package crawler

import (
	"context"
	"net/url"

	"xinwen/crawler/fetch"
	"xinwen/crawler/source"
)

// subscribe sees to it that we hear from the hub that a feed names, if any.
func (c *Crawler) subscribe(ctx context.Context, src *source.Source, w way, m *wayMemory) {
	if c.websub == nil || w.kind != kindFeed {
		return
	}
	m.mu.Lock()
	hub, topic := m.rec.Hub, m.rec.Topic
	m.mu.Unlock()
	if hub == "" {
		return
	}
	if err := c.websub.Subscribe(ctx, w.key(src), hub, topic, func() { m.ask(false) }); err != nil && ctx.Err() == nil {
		c.log.Warn("no subscription to a feed, it is polled as before", "source", src.ID, "url", w.url, "err", err)
	}
}

// postToHub is the websub.Post of c: a hub gets its turn as every host does.
func (c *Crawler) postToHub(ctx context.Context, hub string, form url.Values) (int, error) {
	v := &visit{crawler: c, source: &source.Source{ID: "websub", Delay: source.DefaultDelay}, urgent: true}
	defer v.end()
	return c.client.PostForm(ctx, fetch.Request{URL: hub, Gate: v.gate}, form)
}
