package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/indexer"
	"xinwen/indexer/opensearch/opensearchtest"
	"xinwen/indexer/search"
)

// TestOpenSearchClusterLosesANode runs the demo web through the pipeline into an
// OpenSearch cluster of three nodes, kills the one that holds the articles, and
// expects searches to go on, whole, and new articles to be found.
func TestOpenSearchClusterLosesANode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three OpenSearch nodes")
	}
	cluster, err := opensearchtest.Start(t.Context(), 3, opensearchtest.Quick)
	if errors.Is(err, opensearchtest.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	web := startWeb(t, simweb.Options{})
	config := prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: 30 * time.Minute}).Config()
	config.Indexer.Engine, config.Indexer.OpenSearch.URLs = indexer.EngineOpenSearch, cluster.URLs()
	began := time.Now()
	c := startWith(t, config)
	want := len(web.Articles())
	c.Until(2*demoTime, func() string {
		if n := c.Count(); n < want {
			return fmt.Sprintf("%d of %d articles can be found", n, want)
		}
		return ""
	})
	t.Logf("%d articles are found after %s", want, time.Since(began).Round(time.Millisecond))

	w := watch(c, want)
	lost := holder(t, cluster)
	lost.Kill()
	killed := time.Now()
	res, err := http.Post(c.Base+"/v1/articles", "application/x-ndjson",
		strings.NewReader(`{"id":"after","title":"A node is lost","text":"The cluster goes on without the node zebrafish.","lang":"en","published":"2026-01-30T08:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("import: got %s", res.Status)
	}
	c.Until(demoTime, func() string {
		var found search.Result
		if err := c.Ask("/v1/search", url.Values{"q": {"zebrafish"}}, &found); err != nil {
			return err.Error()
		}
		if found.Total != 1 {
			return "the new article is not found"
		}
		return ""
	})
	t.Logf("an article that came after the loss is found after %s", time.Since(killed).Round(time.Millisecond))
	asked, failed, gap, wrong := w.stop()
	t.Logf("%d searches, %d without an answer, none for at most %s", asked, failed, gap.Round(time.Millisecond))
	if wrong != "" {
		t.Errorf("a search told of too little: %s", wrong)
	}
	if gap > 30*time.Second || asked-failed < 10 {
		t.Errorf("searches did not go on: %d of %d answered, none for %s", asked-failed, asked, gap)
	}
}

// holder returns the node that holds the primary shard of the articles.
func holder(t *testing.T, cluster *opensearchtest.Cluster) *opensearchtest.Node {
	t.Helper()
	get := func(node *opensearchtest.Node, path string, v any) {
		res, err := http.Get(node.URL + path)
		if err == nil {
			err = json.NewDecoder(res.Body).Decode(v)
			res.Body.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var shards []struct{ Index, Prirep, Node string }
	get(cluster.Nodes()[0], "/_cat/shards/*-all?format=json&h=index,prirep,node", &shards)
	i := slices.IndexFunc(shards, func(s struct{ Index, Prirep, Node string }) bool { return s.Prirep == "p" })
	if i < 0 || len(shards) < 2 {
		t.Fatalf("got shards %v, want a primary and a replica", shards)
	}
	for _, n := range cluster.Nodes() {
		var info struct{ Name string }
		if get(n, "/", &info); info.Name == shards[i].Node {
			return n
		}
	}
	t.Fatalf("no node is %s", shards[i].Node)
	return nil
}

// watcher searches without pause.
type watcher struct {
	done chan struct{}
	wait sync.WaitGroup

	asked, failed int
	gap           time.Duration
	wrong         string
}

// watch begins to search for all articles, of which there are at least want.
func watch(c *run.Client, want int) *watcher {
	w := &watcher{done: make(chan struct{})}
	w.wait.Go(func() {
		last := time.Now()
		for {
			select {
			case <-w.done:
				return
			default:
			}
			var res search.Result
			w.asked++
			if err := c.Ask("/v1/search", url.Values{"size": {"1"}}, &res); err != nil {
				w.failed++
				continue
			}
			if int(res.Total) < want && w.wrong == "" {
				w.wrong = fmt.Sprintf("%d of %d articles", res.Total, want)
			}
			w.gap, last = max(w.gap, time.Since(last)), time.Now()
		}
	})
	return w
}

// stop ends the searches and returns how many there were, how many had no answer,
// the longest time without one, and what was wrong in one.
func (w *watcher) stop() (asked, failed int, gap time.Duration, wrong string) {
	close(w.done)
	w.wait.Wait()
	return w.asked, w.failed, w.gap, w.wrong
}
