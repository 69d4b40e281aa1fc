package run

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
)

// Client asks a running system.
type Client struct {
	T    *testing.T
	Base string // address with http://
}

// Ask reads a JSON answer into v.
func (c *Client) Ask(path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(c.T.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path+"?"+query.Encode(), nil)
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

// Search returns all hits of a query by their ID. One that comes twice, or a
// total that is not theirs, fails the test.
func (c *Client) Search(query string) map[string]search.Hit {
	c.T.Helper()
	hits := make(map[string]search.Hit)
	values := url.Values{"q": {query}, "size": {"100"}, "match": {"all"}}
	for {
		var r search.Result
		if err := c.Ask("/v1/search", values, &r); err != nil {
			c.T.Fatal(err)
		}
		for _, h := range r.Hits {
			if _, ok := hits[h.ID]; ok {
				c.T.Errorf("search for %q gives %s %s twice", query, h.ID, h.URL)
			}
			hits[h.ID] = h
		}
		if r.NextCursor == "" {
			if int(r.Total) != len(hits) {
				c.T.Errorf("search for %q: total %d, but %d hits", query, r.Total, len(hits))
			}
			return hits
		}
		values.Set("cursor", r.NextCursor)
	}
}

// Count returns the number of articles that can be found, -1 if nothing answers.
func (c *Client) Count() int {
	var r search.Result
	if err := c.Ask("/v1/search", url.Values{"size": {"0"}}, &r); err != nil {
		return -1
	}
	return int(r.Total)
}

// Article returns an indexed article.
func (c *Client) Article(id string) (*news.Article, error) {
	var a news.Article
	return &a, c.Ask("/v1/articles/"+id, nil, &a)
}

// Quarantine returns what is in quarantine.
func (c *Client) Quarantine() []bus.Quarantined {
	c.T.Helper()
	var r struct{ Messages []bus.Quarantined }
	if err := c.Ask("/v1/quarantine", url.Values{"limit": {"1000"}}, &r); err != nil {
		c.T.Fatal(err)
	}
	return r.Messages
}

// Sources returns the state of each source.
func (c *Client) Sources() map[string]news.SourceState {
	c.T.Helper()
	var r struct{ Sources []news.SourceState }
	if err := c.Ask("/v1/sources", nil, &r); err != nil {
		c.T.Fatal(err)
	}
	states := make(map[string]news.SourceState)
	for _, s := range r.Sources {
		states[s.ID] = s
	}
	return states
}

// Busy says what the pipeline still has to do, "" if nothing.
func (c *Client) Busy() string {
	var r struct {
		Index   *search.Status
		Streams []bus.StreamStatus
	}
	if err := c.Ask("/v1/status", nil, &r); err != nil {
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
	switch {
	case r.Index == nil:
		busy = append(busy, "the index does not answer")
	case r.Index.Lag > 0:
		busy = append(busy, fmt.Sprintf("the index is %d messages behind", r.Index.Lag))
	}
	return strings.Join(busy, ", ")
}

// Until waits for missing to return "", and fails the test with what it
// returned last.
func (c *Client) Until(limit time.Duration, missing func() string) {
	c.T.Helper()
	if last := Poll(c.T.Context(), limit, missing); last != "" {
		for _, q := range c.Quarantine() {
			c.T.Logf("quarantine: %s %s: %s", q.Service, q.URL, q.Reason)
		}
		for _, s := range c.Sources() {
			c.T.Logf("source %s: %s, %d items, %d articles, %s", s.ID, s.Status, s.Items, s.Articles, s.LastError)
		}
		c.T.Fatalf("after %s: %s", limit, last)
	}
}

// Poll asks missing until it returns "" or the time is over, and returns its
// last answer.
func Poll(ctx context.Context, limit time.Duration, missing func() string) string {
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
