package opensearch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/change"
	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/search"
	"xinwen/news"
)

// pairs returns articles of our own that share events by twos.
func pairs(n int) []*news.Article {
	start := time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)
	var list []*news.Article
	for i := range n {
		event := i / 2
		list = append(list, &news.Article{
			Version: news.Version, ID: fmt.Sprintf("n%d", i), Revision: 1, URL: fmt.Sprintf("https://news.example/%d", i), Source: fmt.Sprintf("s%d", i%3),
			Lang: "en", Script: news.ScriptLatn, Title: fmt.Sprintf("Plant number%d halts after fire%d", event, event),
			Text:      fmt.Sprintf("A fire%d broke out in plant number%d near place%d, which makes substrate%d.", event, event, event, event),
			Mentions:  []news.Mention{{Start: 0, End: 5, Kind: news.Org, Entity: fmt.Sprintf("org:plant-%d", event)}, {Start: 6, End: 12, Kind: news.Place, Entity: fmt.Sprintf("place:place-%d", event)}},
			Published: start.Add(time.Duration(i) * 12 * time.Hour), Fetched: start.Add(time.Duration(i) * 12 * time.Hour),
		})
	}
	return list
}

// hits returns all hits of a request without what depends on the engine.
func hits(t *testing.T, s search.Searcher, r search.Request) []search.Hit {
	t.Helper()
	var list []search.Hit
	for r.Size = search.MaxSize; ; {
		res, err := s.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, res.Hits...)
		if r.Cursor = res.NextCursor; r.Cursor == "" {
			return list
		}
	}
}

// TestAnyOrderGivesTheSameIndex writes one stream in several orders, with
// messages repeated and batches cut anywhere, and expects the same index.
func TestAnyOrderGivesTheSameIndex(t *testing.T) {
	g := querytest.New(7)
	var stream []change.Op
	for i := range 120 {
		a := *g.Article()
		a.ID = fmt.Sprintf("article%d", g.IntN(20))
		a.Revision = int64(g.IntN(10))
		a.Deleted = g.IntN(6) == 0
		op := testOp(t, &a)
		op.Seq = uint64(i + 1)
		stream = append(stream, op)
	}
	var want []search.Hit
	for round, monthly := range []bool{false, false, true} {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			o := testOptions(t)
			o.Config.Monthly = monthly
			x := openTest(t, o)
			r := rand.New(rand.NewPCG(uint64(round), 1))
			order := slices.Clone(stream)
			if round > 0 {
				for range len(stream) / 2 {
					order = append(order, stream[r.IntN(len(stream))])
				}
				r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			for len(order) > 0 {
				n := min(1+r.IntN(40), len(order))
				seq := uint64(0)
				for _, op := range order[:n] {
					seq = max(seq, op.Seq)
				}
				if err := x.Write(t.Context(), seq, order[:n]); err != nil {
					t.Fatal(err)
				}
				order = order[n:]
			}
			got := hits(t, x, search.Request{})
			for i := range got {
				got[i].Story, got[i].Indexed = "", time.Time{} // depend on the order
			}
			if round == 0 {
				if want = got; len(want) == 0 || len(want) == 20 {
					t.Fatalf("got %d articles: the stream tests no deletions", len(want))
				}
				return
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("another order gives another index (-got +want):\n%s", diff)
			}
			if st, err := x.Status(t.Context()); err != nil || st.Docs != uint64(len(want)) || st.AppliedSeq != uint64(len(stream)) {
				t.Errorf("got %+v, %v, want %d articles up to %d", st, err, len(want), len(stream))
			}
		})
	}
}

// proxy forwards to OpenSearch what refuse does not answer.
func proxy(t *testing.T, to string, refuse func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !refuse(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestInterruptedBatchIsAppliedAgain ends a batch when its articles are written
// but not how far they go, and expects the index to be as if nothing had been.
func TestInterruptedBatchIsAppliedAgain(t *testing.T) {
	articles := pairs(12)
	revised := *articles[1]
	revised.Revision, revised.Text = 2, revised.Text+" Nobody was hurt."
	gone := *articles[2]
	gone.Revision, gone.Deleted = 2, true
	stream := append(articles, &revised, &gone)
	ops := make([]change.Op, len(stream))
	for i, a := range stream {
		ops[i] = testOp(t, a)
		ops[i].Seq = uint64(i + 1)
	}
	var want []search.Hit
	t.Run("whole", func(t *testing.T) {
		x := openTest(t, testOptions(t))
		if err := x.Write(t.Context(), uint64(len(ops)), ops); err != nil {
			t.Fatal(err)
		}
		want = hits(t, x, search.Request{})
		if len(want) != 11 || want[0].Story == want[0].ID {
			t.Fatalf("got %d hits, the last in story %s: want 11 in stories of two", len(want), want[0].Story)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		o := testOptions(t)
		var refused atomic.Bool
		o.Config.URLs = []string{proxy(t, o.Config.URLs[0], func(w http.ResponseWriter, r *http.Request) bool {
			if refused.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "-state/_doc/") {
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
			return false
		})}
		x := openTest(t, o)
		if err := x.Write(t.Context(), 4, ops[:4]); err != nil {
			t.Fatal(err)
		}
		refused.Store(true)
		if err := x.Write(t.Context(), uint64(len(ops)), ops[4:]); err == nil {
			t.Fatal("got no error, want that the state cannot be written")
		}
		refused.Store(false)
		x, err := Open(t.Context(), o) // the process has started again
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if seq, err := x.AppliedSeq(t.Context()); err != nil || seq != 4 {
			t.Errorf("applied_seq: got %d, %v, want 4", seq, err)
		}
		for _, part := range [][]change.Op{ops[4:7], ops[7:13], ops[13:]} {
			if err := x.Write(t.Context(), part[len(part)-1].Seq, part); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(hits(t, x, search.Request{}), want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	})
}

func TestSecondWriterIsToldSo(t *testing.T) {
	o := testOptions(t)
	x := openTest(t, o)
	list := pairs(3)
	write(t, x, 1, list[0])
	y, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Close()
	write(t, y, 2, list[1])
	err = x.Write(t.Context(), 3, []change.Op{testOp(t, list[2])})
	if !errors.Is(err, ErrOtherWriter) || !strings.Contains(err.Error(), "read_only") {
		t.Errorf("got %v, want ErrOtherWriter that says what to do", err)
	}
	o.Config.ReadOnly = true
	z, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if got := hits(t, z, search.Request{}); len(got) != 2 {
		t.Errorf("read only: got %d hits, want 2", len(got))
	}
	if err := z.Write(t.Context(), 4, nil); err == nil {
		t.Error("read only: it writes")
	}
}

// TestRebuildTakesThePlace fills an index beside the one in use.
func TestRebuildTakesThePlace(t *testing.T) {
	o := testOptions(t)
	x := openTest(t, o)
	list := pairs(4)
	write(t, x, 2, list[:2]...)
	readOnly := o
	readOnly.Config.ReadOnly = true
	reader, err := Open(t.Context(), readOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	left, err := OpenNext(t.Context(), o) // a rebuild that was interrupted
	if err != nil {
		t.Fatal(err)
	}
	write(t, left, 1, list[3])
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := OpenNext(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if seq, err := next.AppliedSeq(t.Context()); err != nil || seq != 0 {
		t.Errorf("next: applied_seq %d, %v, want 0", seq, err)
	}
	write(t, next, 3, list[:3]...)
	if got := hits(t, x, search.Request{}); len(got) != 2 {
		t.Errorf("meanwhile: got %d hits, want the 2 of the index in use", len(got))
	}
	if err := errors.Join(next.Use(t.Context()), next.RemoveOthers(t.Context())); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for name, s := range map[string]*Index{"opened again": again, "read only": reader} {
		if _, err := s.AppliedSeq(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := hits(t, s, search.Request{}); len(got) != 3 {
			t.Errorf("%s: got %d hits, want 3", name, len(got))
		}
	}
	var alias map[string]struct{}
	if err := again.client.ask(t.Context(), http.MethodGet, "/_alias/"+o.Config.Prefix, nil, &alias); err != nil {
		t.Fatal(err)
	}
	if _, ok := alias[next.Path()+"-"+everyMonth]; !ok || len(alias) != 1 {
		t.Errorf("alias: got %v, want %s alone", alias, next.Path())
	}
	if names, err := again.list(t.Context(), o.Config.Prefix+"-*"); err != nil || len(names) != 2 {
		t.Errorf("got %v, %v, want the index and its state", names, err)
	}
}

// TestMonthsHaveIndexes moves an article to another month, and lets old ones go.
func TestMonthsHaveIndexes(t *testing.T) {
	o := testOptions(t)
	o.Config.Monthly, o.Config.KeepDays = true, 60
	x := openTest(t, o)
	list := pairs(3)
	now := time.Now().UTC()
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	list[0].Published, list[1].Published, list[2].Published = this.Add(time.Hour), this.Add(-time.Hour), now.AddDate(0, 0, -200)
	write(t, x, 1, list...)
	months := func(want ...time.Time) {
		t.Helper()
		var names []string
		for _, m := range want {
			names = append(names, x.Path()+"-"+m.Format("2006.01"))
		}
		slices.Sort(names)
		if got, err := x.list(t.Context(), x.pattern()); err != nil || !slices.Equal(got, names) {
			t.Errorf("indexes: got %v, %v, want %v", got, err, names)
		}
	}
	months(this, this.AddDate(0, -1, 0))
	if got := hits(t, x, search.Request{}); len(got) != 2 {
		t.Errorf("got %d hits, want the 2 that are not too old", len(got))
	}
	moved := *list[0]
	moved.Revision, moved.Published = 2, this.Add(-2*time.Hour)
	write(t, x, 2, &moved)
	if got := hits(t, x, search.Request{}); len(got) != 2 || got[0].ID != "n1" {
		t.Errorf("moved: got %+v, want 2 hits, the other first", got)
	}
	// What has become too old since goes.
	x.config.KeepDays, x.pruned = 1, time.Time{}
	write(t, x, 3)
	if got := hits(t, x, search.Request{}); len(got) != 0 && time.Since(list[1].Published) > 24*time.Hour {
		t.Errorf("after a while: got %d hits, want none", len(got))
	}
}

// TestOldArticlesGo has an index of all months.
func TestOldArticlesGo(t *testing.T) {
	o := testOptions(t)
	o.Config.KeepDays = 60
	x := openTest(t, o)
	list := pairs(3)
	for i, days := range []int{0, 30, 200} {
		list[i].Published = time.Now().AddDate(0, 0, -days)
	}
	write(t, x, 1, list...)
	if got := hits(t, x, search.Request{}); len(got) != 2 {
		t.Errorf("got %d hits, want the 2 that are not too old", len(got))
	}
	x.config.KeepDays, x.pruned = 20, time.Time{}
	write(t, x, 2)
	if got := hits(t, x, search.Request{}); len(got) != 1 || got[0].ID != "n0" {
		t.Errorf("after a while: got %+v, want the newest", got)
	}
}

// TestRefusalsSayWhatToDo has OpenSearch refuse in the ways it does.
func TestRefusalsSayWhatToDo(t *testing.T) {
	o, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	answer := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, tt := range map[string]struct {
		url, want   string
		unavailable bool
	}{
		"nobody listens": {"http://127.0.0.1:1", "xinwen doctor", true},
		"another server": {answer(200, `{"version":{"number":"8.1.0","build_flavor":"default"}}`), "is not OpenSearch", false},
		"too old":        {answer(200, `{"version":{"distribution":"opensearch","number":"1.3.2"}}`), "upgrade to 2", false},
		"no password":    {answer(401, `Unauthorized`), "XINWEN_OPENSEARCH_PASSWORD", true},
		"no rights":      {answer(403, `{"error":{"type":"security_exception","reason":"no permissions for [cluster:monitor/main]"}}`), "give the user rights", true},
		"disk is full":   {answer(403, `{"error":{"type":"cluster_block_exception","reason":"index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"}}`), "make room", true},
		"other mapping":  {answer(400, `{"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [seq]"}}`), "another prefix", false},
		"not JSON":       {answer(200, `<html>`), "see that it runs", true},
	} {
		t.Run(name, func(t *testing.T) {
			o.Config = Config{URLs: []string{tt.url}, Timeout: 5 * time.Second}
			_, err := Open(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, search.ErrUnavailable) != tt.unavailable {
				t.Errorf("got %v, want an error that says %q, unavailable %t", err, tt.want, tt.unavailable)
			}
			if _, err := Check(t.Context(), o.Config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("check: got %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

// TestOverloadIsRetried refuses some documents at first.
func TestOverloadIsRetried(t *testing.T) {
	o := testOptions(t)
	var bulks, full atomic.Int32
	o.Config.URLs = []string{proxy(t, o.Config.URLs[0], func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/_bulk" {
			return false
		}
		switch bulks.Add(1) {
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		case 2:
			fmt.Fprint(w, `{"errors":true,"items":[{"index":{"_id":"n0","status":429,"error":{"type":"rejected_execution_exception"}}},{"index":{"_id":"n1","status":429}}]}`)
			return true
		}
		if full.Load() > 0 {
			fmt.Fprint(w, `{"errors":true,"items":[{"index":{"_id":"n2","status":403,"error":{"type":"cluster_block_exception","reason":"index has read-only-allow-delete block"}}}]}`)
			return true
		}
		return false
	})}
	x := openTest(t, o)
	list := pairs(3)
	write(t, x, 2, list[:2]...)
	if got := hits(t, x, search.Request{}); len(got) != 2 {
		t.Errorf("got %d hits, want both articles", len(got))
	}
	full.Store(1)
	err := x.Write(t.Context(), 3, []change.Op{testOp(t, list[2])})
	if err == nil || !strings.Contains(err.Error(), "make room") {
		t.Errorf("got %v, want an error that says to make room", err)
	}
	if seq, err := x.AppliedSeq(t.Context()); err != nil || seq != 2 {
		t.Errorf("applied_seq: got %d, %v, want 2: nothing beyond is there", seq, err)
	}
}

func TestConfigFaultsAreTold(t *testing.T) {
	minus := -1
	err := Config{URLs: []string{"localhost:9200"}, Prefix: "Xin Wen", Shards: -1, Replicas: &minus, KeepDays: -1, Timeout: -1}.Validate()
	for _, want := range []string{"url", "prefix", "shards", "replicas", "keep_days", "timeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a fault of %s", err, want)
		}
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("got no fault without urls")
	}
}
