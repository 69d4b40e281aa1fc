package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/news"
)

// follower reads a live stream and hangs up after every few events.
type follower struct {
	connections atomic.Int64
	events      chan string // article IDs in order of arrival
}

// hangUp is the number of events after which a follower hangs up.
const hangUp = 3

func follow(t *testing.T, c *run.Client, query string) *follower {
	t.Helper()
	f := &follower{events: make(chan string, 10_000)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The system may have begun to crawl before we come: from the beginning.
		last := "0"
		for ctx.Err() == nil {
			f.connections.Add(1)
			last = f.read(ctx, c.Base+"/v1/stream?"+url.Values{"q": {query}}.Encode(), last)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return f
}

// read reads until it hangs up, and returns the last event's ID.
func (f *follower) read(ctx context.Context, address, last string) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		panic(err) // the address is the test's own
	}
	req.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return last // the next connection tries again
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	id, data, n := last, "", 0
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "data":
			data = value
		case "": // the end of an event, or a comment
			last = id
			if data == "" {
				continue
			}
			var a news.Article
			if json.Unmarshal([]byte(data), &a) == nil {
				f.events <- a.ID
			}
			if data, n = "", n+1; n == hangUp {
				return last
			}
		}
	}
	return last
}

// wait returns the IDs of n articles, sorted; each must have come once.
func (f *follower) wait(t *testing.T, n int) []string {
	t.Helper()
	seen := make(map[string]bool)
	timeout := time.After(30 * time.Second)
	var ids []string
	for len(ids) < n {
		select {
		case id := <-f.events:
			if seen[id] {
				t.Errorf("%s came twice", id)
				continue
			}
			seen[id] = true
			ids = append(ids, id)
		case <-timeout:
			t.Errorf("%d of %d events came", len(ids), n)
			n = 0
		}
	}
	slices.Sort(ids)
	return ids
}
