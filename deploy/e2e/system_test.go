package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
)

// setup says what a system is run with. It crosses to a child process as JSON.
type setup struct {
	Data    string // directory
	Sources string // file
	Resolve []string
	Alerts  string // directory of rules, "" for none
	Timeout time.Duration
	Once    bool // the crawler ends when it is through
}

func (s setup) config() app.Config {
	var c app.Config
	c.Data = s.Data
	c.Crawler.Sources = s.Sources
	c.Crawler.Resolve = s.Resolve
	c.Crawler.Timeout = s.Timeout
	c.Crawler.HeaderTimeout = s.Timeout
	c.Crawler.Once = s.Once
	c.Crawler.MinInterval = 100 * time.Millisecond
	c.API.Listen = "127.0.0.1:0"
	c.API.AlertsDir = s.Alerts
	c.API.AllowPrivateWebhooks = true
	c.API.WebhookFirstDelay = 50 * time.Millisecond
	return c
}

// prepare writes the sources of web into a new data directory.
func prepare(t *testing.T, web *simweb.Web, o simweb.SourceOptions) setup {
	t.Helper()
	dir := t.TempDir()
	s := setup{Data: dir, Sources: filepath.Join(dir, "sources.yaml"), Resolve: []string{web.Resolve()}}
	if err := os.WriteFile(s.Sources, []byte(web.SourcesFor(o)), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs everything in this process until the test ends.
func start(t *testing.T, s setup) *client {
	t.Helper()
	var log bytes.Buffer // read when nothing writes any more
	a, err := app.New(app.Options{Config: s.config(), Logger: slog.New(slog.NewTextHandler(&log, nil)), Version: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", log.Bytes()[max(0, log.Len()-20_000):])
		}
	})
	return &client{t: t, base: "http://" + a.Addr()}
}

// client asks a running system.
type client struct {
	t    *testing.T
	base string
}

// ask reads a JSON answer into v.
func (c *client) ask(path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, res.Status, body)
	}
	return json.Unmarshal(body, v)
}

// search returns all hits of a query by their ID. An ID that comes twice is a
// fault of the test's own.
func (c *client) search(query string) map[string]search.Hit {
	c.t.Helper()
	hits := make(map[string]search.Hit)
	values := url.Values{"q": {query}, "size": {"100"}, "match": {"all"}}
	for {
		var r search.Result
		if err := c.ask("/v1/search", values, &r); err != nil {
			c.t.Fatal(err)
		}
		for _, h := range r.Hits {
			if _, ok := hits[h.ID]; ok {
				c.t.Errorf("search for %q gives %s %s twice", query, h.ID, h.URL)
			}
			hits[h.ID] = h
		}
		if r.NextCursor == "" {
			if int(r.Total) != len(hits) {
				c.t.Errorf("search for %q: total %d, but %d hits", query, r.Total, len(hits))
			}
			return hits
		}
		values.Set("cursor", r.NextCursor)
	}
}

// count returns the number of articles that can be found, -1 if nothing answers.
func (c *client) count() int {
	var r search.Result
	if err := c.ask("/v1/search", url.Values{"size": {"0"}}, &r); err != nil {
		return -1
	}
	return int(r.Total)
}

// article returns an indexed article.
func (c *client) article(id string) (*news.Article, error) {
	var a news.Article
	return &a, c.ask("/v1/articles/"+id, nil, &a)
}

func (c *client) quarantine() []bus.Quarantined {
	c.t.Helper()
	var r struct{ Messages []bus.Quarantined }
	if err := c.ask("/v1/quarantine", url.Values{"limit": {"1000"}}, &r); err != nil {
		c.t.Fatal(err)
	}
	return r.Messages
}

func (c *client) sources() map[string]news.SourceState {
	c.t.Helper()
	var r struct{ Sources []news.SourceState }
	if err := c.ask("/v1/sources", nil, &r); err != nil {
		c.t.Fatal(err)
	}
	states := make(map[string]news.SourceState)
	for _, s := range r.Sources {
		states[s.ID] = s
	}
	return states
}

// until waits for missing to return "", and fails the test with what it
// returned last.
func (c *client) until(limit time.Duration, missing func() string) {
	c.t.Helper()
	if last := poll(c.t.Context(), limit, missing); last != "" {
		for _, q := range c.quarantine() {
			c.t.Logf("quarantine: %s %s: %s", q.Service, q.URL, q.Reason)
		}
		for _, s := range c.sources() {
			c.t.Logf("source %s: %s, %d items, %d articles, %s", s.ID, s.Status, s.Items, s.Articles, s.LastError)
		}
		c.t.Fatalf("after %s: %s", limit, last)
	}
}

// poll asks missing until it returns "" or the time is over, and returns its
// last answer.
func poll(ctx context.Context, limit time.Duration, missing func() string) string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		last := missing()
		if last == "" {
			return ""
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

// idle says what the pipeline still has to do, "" if nothing.
func (c *client) idle() string {
	var r struct {
		Index   search.Status
		Streams []bus.StreamStatus
	}
	if err := c.ask("/v1/status", nil, &r); err != nil {
		return err.Error()
	}
	var busy []string
	for _, s := range r.Streams {
		for _, consumer := range s.Consumers {
			if n := int(consumer.Pending) + consumer.AckPending; n > 0 {
				busy = append(busy, fmt.Sprintf("%s has %d messages for %s", s.Name, n, consumer.Name))
			}
		}
	}
	if r.Index.Lag > 0 {
		busy = append(busy, fmt.Sprintf("the index is %d messages behind", r.Index.Lag))
	}
	return strings.Join(busy, ", ")
}
