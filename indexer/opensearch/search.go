package opensearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"strconv"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var _ search.Searcher = (*Index)(nil)

// response is what OpenSearch answers to a search.
type response struct {
	Hits struct {
		Total struct{ Value uint64 }
		Hits  []hit
	}
	Aggregations map[string]json.RawMessage
}

// hit is a document found.
type hit struct {
	Index       string   `json:"_index"`
	ID          string   `json:"_id"`
	Score       *float64 `json:"_score"`
	Source      source   `json:"_source"`
	Sort        []json.RawMessage
	Fields      map[string][]string
	Explanation *explanation `json:"_explanation"`
}

// group returns the story that the hit is of, its own ID where it is alone.
func (h *hit) group() string { return h.value(fieldGroup) }

func (h *hit) value(field string) string {
	if v := h.Fields[field]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// search sends a search. Words are weighed by all shards together.
func (x *Index) search(ctx context.Context, body object) (*response, error) {
	path := "/" + x.pattern() + "/_search?allow_no_indices=true&allow_partial_search_results=false"
	if x.config.Shards > 1 || x.config.Monthly {
		path += "&search_type=dfs_query_then_fetch"
	}
	// The same question goes to the same copies: those differ in what they have
	// merged away, and so in scores.
	data, err := json.Marshal(body["query"])
	if err != nil {
		return nil, err
	}
	h := fnv.New32a()
	_, _ = h.Write(data) // never fails
	path += "&preference=q" + strconv.FormatUint(uint64(h.Sum32()), 36)
	var res response
	err = x.client.ask(ctx, http.MethodPost, path, body, &res)
	return &res, asked(err)
}

// asked makes an error of the request of one that asks for too much.
func asked(err error) error {
	var e *Error
	if errors.As(err, &e) && e.hint == hintPrefix {
		return &search.RequestError{Field: "q", Message: "a word with * at the end of a phrase or in a NEAR stands for too many words", Hint: e.hint}
	}
	return err
}

// Search implements search.Searcher.
func (x *Index) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	start := time.Now()
	q, err := x.planner.Plan(r)
	if err != nil {
		return nil, err
	}
	st, _, err := x.state(ctx) // first: what is read later has at least this
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var scorers []object
	if q.Sort == search.SortRelevance || r.Explain {
		t, err := x.planner.Terms(q.Node, q.Expansion)
		if err != nil {
			return nil, err
		}
		if scorers, err = x.scorers(ctx, t); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	res := &search.Result{AppliedSeq: st.AppliedSeq}
	for _, match := range q.Matches {
		if err := x.page(ctx, q, match, scorers, res); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if res.Match = match; res.Total > 0 {
			break
		}
	}
	if res.Total == 0 {
		res.Match = q.Matches[0] // nothing found is not a relaxed answer
	}
	res.Relaxed = res.Match != search.MatchAll && r.Match != search.MatchAny
	res.TookMS = float64(time.Since(start).Microseconds()) / 1000
	return res, nil
}

// page fills res with the answer by one way of matching.
func (x *Index) page(ctx context.Context, q *plan.Plan, match string, scorers []object, res *search.Result) error {
	l := x.listing(q, match, scorers)
	if len(q.Request.Facets) > 0 {
		l.facets = q.Request.Facets
	}
	l.stories = q.Request.Collapse
	want := q.Size + min(q.Size, 1)
	var shown []*shownHit
	var err error
	if q.Request.Collapse {
		shown, err = l.collapsed(ctx, want, "")
	} else {
		shown, err = l.next(ctx, want)
	}
	if err != nil {
		return err
	}
	res.Total, res.Stories = l.total, l.groups
	if res.Facets, err = x.facetValues(q.Request.Facets, l.counted); err != nil {
		return err
	}
	if res.Total == 0 {
		res.Hits = []search.Hit{}
		return nil
	}
	res.NextCursor = ""
	if len(shown) > q.Size {
		shown = shown[:q.Size]
		last, err := shown[len(shown)-1].position()
		if err != nil {
			return err
		}
		res.NextCursor = q.Cursor(match, last)
	}
	res.Hits, err = x.show(ctx, q, shown)
	return err
}

// shownHit is a hit with what it stands for.
type shownHit struct {
	*hit
	more *search.More
}

// position returns where the list goes on after the hit.
func (h *shownHit) position() (plan.Position, error) {
	var p plan.Position
	if len(h.Sort) != 2 {
		return p, fmt.Errorf("opensearch: hit %s has no place in the order", h.ID)
	}
	err := errors.Join(json.Unmarshal(h.Sort[0], &p.Key), json.Unmarshal(h.Sort[1], &p.ID))
	if p.Key <= math.MinInt64 { // it has no time
		p.Key = math.Inf(-1)
	}
	return p, err
}

// listing is a list of hits that is read from a position on.
type listing struct {
	x       *Index
	filter  object
	query   object
	sort    []object
	after   []any
	explain bool
	// The first request counts these.
	facets  []string
	stories bool
	first   bool
	total   uint64
	groups  uint64
	counted map[string]json.RawMessage
}

// listing begins the list of what a plan matches in one way of matching.
func (x *Index) listing(q *plan.Plan, match string, scorers []object) *listing {
	l := &listing{x: x, filter: wanted(q, match), explain: q.Request.Explain, first: true}
	l.query = ranked(l.filter, scorers)
	l.order(q)
	return l
}

// order sorts the list as q asks for.
func (l *listing) order(q *plan.Plan) {
	// Without a time an article is the oldest.
	switch half := q.Request.HalfLife; {
	case q.Sort == search.SortRelevance && half > 0:
		l.sort = []object{{"_script": object{"type": "number", "order": "desc", "script": decay(half.Std())}}}
	case q.Sort == search.SortRelevance:
		l.sort = []object{{"_score": object{"order": "desc"}}}
	case q.Sort == search.SortOldest:
		l.sort = []object{{query.FieldPublished: object{"order": "asc", "missing": "_first", "unmapped_type": "long"}}}
	default:
		l.sort = []object{{query.FieldPublished: object{"order": "desc", "missing": "_last", "unmapped_type": "long"}}}
	}
	l.sort = append(l.sort, object{fieldKey: object{"order": "asc", "unmapped_type": "keyword"}})
	if q.After == nil {
		return
	}
	var key any = q.After.Key
	switch {
	case q.Sort == search.SortRelevance && q.Request.HalfLife > 0: // as it is
	case q.Sort == search.SortRelevance:
		key = float32(q.After.Key)
	case math.IsInf(q.After.Key, -1):
		key = int64(math.MinInt64) // what stands for no time
	default:
		key = int64(q.After.Key)
	}
	l.after = []any{key, q.After.ID}
}

// decay returns the script of what plan.Decay does.
func decay(halfLife time.Duration) object {
	return object{
		"lang":   "expression",
		"source": "ln(max(_score, 1e-9)) / ln(2) + doc['" + query.FieldPublished + "'].value / half",
		"params": object{"half": float64(halfLife.Microseconds())},
	}
}

// next reads up to n more hits.
func (l *listing) next(ctx context.Context, n int) ([]*shownHit, error) {
	body := object{
		"query": l.query, "size": n, "sort": l.sort, "track_scores": true, "track_total_hits": l.first, "explain": l.explain,
		"_source": []string{fieldMeta, fieldArticle}, "docvalue_fields": []string{fieldGroup, fieldTongue},
	}
	if l.after != nil {
		body["search_after"] = l.after
	}
	if l.first {
		if a := l.aggregations(); len(a) > 0 {
			body["aggs"] = a
		}
	}
	res, err := l.x.search(ctx, body)
	if err != nil {
		return nil, err
	}
	if l.first {
		l.total, l.counted, l.first = res.Hits.Total.Value, res.Aggregations, false
		if l.stories {
			var groups struct{ Value uint64 }
			if data, ok := res.Aggregations[fieldGroup]; ok {
				if err := json.Unmarshal(data, &groups); err != nil {
					return nil, err
				}
			}
			l.groups = groups.Value
		}
	}
	hits := make([]*shownHit, len(res.Hits.Hits))
	for i := range res.Hits.Hits {
		hits[i] = &shownHit{hit: &res.Hits.Hits[i]}
	}
	if n := len(hits); n > 0 {
		last := hits[n-1].Sort
		l.after = []any{last[0], last[1]}
	}
	return hits, nil
}

// show makes what is shown of hits.
func (x *Index) show(ctx context.Context, q *plan.Plan, list []*shownHit) ([]search.Hit, error) {
	view, now := x.planner.View(q), time.Now()
	hits := make([]search.Hit, len(list))
	err := parallel(ctx, len(list), func(i int) error {
		h := list[i]
		a, err := (&stored{article: h.Source.Article}).parse()
		if err != nil {
			return err
		}
		hits[i] = view.Hit(a, h.Source.Meta.Story, time.UnixMilli(h.Source.Meta.Indexed))
		hits[i].More = h.more
		if q.Sort == search.SortRelevance && h.Score != nil {
			hits[i].Score = *h.Score
		}
		if half := q.Request.HalfLife; half > 0 {
			at, err := h.position()
			if err != nil {
				return err
			}
			hits[i].Score = plan.DecayedScore(at.Key, now, half)
		}
		if q.Request.Explain && h.Explanation != nil {
			hits[i].Explanation = h.Explanation.tell()
			if h.Score != nil && q.Request.HalfLife == 0 && hits[i].Score > 0 {
				hits[i].Explanation.Value = hits[i].Score // one is rounded otherwise
			}
		}
		return nil
	})
	return hits, err
}

// Article implements search.Searcher.
func (x *Index) Article(ctx context.Context, id string) (*news.Article, error) {
	_, a, err := x.article(ctx, id)
	return a, err
}

// article reads an article and what is kept with it; search.ErrNotFound if there
// is none.
func (x *Index) article(ctx context.Context, id string) (*meta, *news.Article, error) {
	has, err := x.stored(ctx, []string{id}, true)
	if err != nil {
		return nil, nil, err
	}
	s := has[docID(id)]
	if s == nil || s.meta.Deleted {
		return nil, nil, search.ErrNotFound
	}
	a, err := s.parse()
	return &s.meta, a, err
}

// Status implements search.Searcher, as far as the index knows: not the stream's
// last sequence.
func (x *Index) Status(ctx context.Context) (search.Status, error) {
	st, _, err := x.state(ctx)
	if err != nil {
		return search.Status{}, err
	}
	counts, err := x.counts(ctx, []object{term(fieldLive, true)})
	if err != nil {
		return search.Status{}, err
	}
	bytes, err := x.Bytes(ctx)
	return search.Status{Docs: counts[0], AppliedSeq: st.AppliedSeq, Bytes: bytes}, err
}

// Bytes returns the size of the index on the disks of the cluster, all copies
// together.
func (x *Index) Bytes(ctx context.Context) (uint64, error) {
	var res struct {
		All struct {
			Total struct {
				Store struct {
					Size uint64 `json:"size_in_bytes"`
				}
			}
		} `json:"_all"`
	}
	err := x.client.ask(ctx, http.MethodGet, "/"+x.pattern()+"/_stats/store?filter_path=_all.total.store.size_in_bytes", nil, &res)
	return res.All.Total.Store.Size, err
}
