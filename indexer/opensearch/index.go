package opensearch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/plan"
	"xinwen/indexer/search"
	"xinwen/indexer/story"
	"xinwen/news/lexicon"
)

// Options say where an index is and how its text is analysed.
type Options struct {
	Config   Config
	Analyzer *analysis.Analyzer
	// Lexicon resolves entity names in queries; it may be nil.
	Lexicon *lexicon.Store
	Logger  *slog.Logger
}

// Index is an index in a cluster. Its methods are safe for concurrent use.
type Index struct {
	config   Config
	client   *client
	analyzer *analysis.Analyzer
	planner  *plan.Planner
	log      *slog.Logger
	// name is that of this generation: what begins the names of its indexes.
	name atomic.Pointer[string]
	// boost brings scores to those of BM25 with the factor k1+1, which OpenSearch
	// has left out since version 3.
	boost float64

	writing sync.Mutex
	stories *story.Tracker // nil until needed; for who holds writing
	indexes map[string]bool
	version stateVersion
	pruned  time.Time

	naming sync.Mutex
	names  []string // of indexes, as of named
	named  time.Time

	closed atomic.Bool
}

// state is the document beside the articles that tells how far they go.
type state struct {
	AppliedSeq uint64 `json:"applied_seq"`
	// StoryFloor is story.Tracker.Floor.
	StoryFloor uint64 `json:"story_floor,omitempty"`
}

// stateVersion is what OpenSearch numbers the changes of a document by.
type stateVersion struct{ seq, term int64 }

// Open opens the index in use and makes one where there is none.
func Open(ctx context.Context, o Options) (*Index, error) { return open(ctx, o, false) }

// OpenNext makes an empty index beside the one in use, for a rebuild. What an
// interrupted one has left is removed.
func OpenNext(ctx context.Context, o Options) (*Index, error) { return open(ctx, o, true) }

func open(ctx context.Context, o Options, next bool) (*Index, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	c, err := o.Config.withDefaults()
	if err != nil {
		return nil, err
	}
	cl, err := newClient(c)
	if err != nil {
		return nil, err
	}
	x := &Index{
		config: c, client: cl, analyzer: o.Analyzer, log: o.Logger,
		planner: &plan.Planner{Analyzer: o.Analyzer, Lexicon: o.Lexicon},
		indexes: make(map[string]bool), boost: 1,
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if err := x.begin(ctx, next); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) begin(ctx context.Context, next bool) error {
	major, number, err := x.client.version(ctx)
	if err != nil {
		return err
	}
	if major >= 3 {
		x.boost = bm25K1 + 1
	}
	base := x.base()
	n, err := x.generation(ctx, base)
	if err != nil {
		return err
	}
	if x.config.ReadOnly {
		if n == 0 {
			return fmt.Errorf("%w: opensearch: there is no index %s yet and this indexer is read_only; start one that writes", search.ErrUnavailable, base)
		}
		x.setName(numbered(base, n))
		return nil
	}
	if err := x.putTemplate(ctx, base); err != nil {
		return err
	}
	if next {
		x.setName(numbered(base, n+1))
		err = x.remove(ctx, x.Path())
	} else {
		x.setName(numbered(base, max(n, 1)))
	}
	if err == nil {
		err = x.putState(ctx)
	}
	if err != nil {
		return err
	}
	if !next && n == 0 {
		err = x.Use(ctx)
	}
	x.log.Info("opensearch index is open", "version", number, "index", x.Path(), "nodes", x.client.urls)
	return errors.Join(err, x.refresh(ctx)) // what a crash has left unseen
}

// base returns what begins the names of all indexes of this analysis.
func (x *Index) base() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%t", layout, x.analyzer.Hash(), x.config.Monthly))
	return x.config.Prefix + "-" + hex.EncodeToString(sum[:6])
}

func numbered(base string, n int) string { return base + "-" + strconv.Itoa(n) }

// pattern matches the indexes of this generation.
func (x *Index) pattern() string { return x.Path() + "-*" }

// stateIndex has the state of each generation, and which is in use.
func (x *Index) stateIndex() string { return x.config.Prefix + "-state" }

// Path returns the name of the index, as it stands in the log.
func (x *Index) Path() string {
	if p := x.name.Load(); p != nil {
		return *p
	}
	return ""
}

func (x *Index) setName(name string) { x.name.Store(&name) }

// generation returns the number of the generation in use, 0 if there is none.
func (x *Index) generation(ctx context.Context, base string) (int, error) {
	var doc struct {
		Source struct{ Generation int } `json:"_source"`
	}
	err := x.client.ask(ctx, http.MethodGet, "/"+x.stateIndex()+"/_doc/"+escapePath(base), nil, &doc)
	if isStatus(err, http.StatusNotFound) {
		err = nil
	}
	return doc.Source.Generation, err
}

// putTemplate says how indexes are to be made whose names begin with base.
func (x *Index) putTemplate(ctx context.Context, base string) error {
	err := x.client.ask(ctx, http.MethodPut, "/_index_template/"+base, object{
		"index_patterns": []string{base + "-*"},
		"priority":       500,
		"template":       object{"settings": object{"index": x.config.settings()}, "mappings": mappings()},
	}, nil)
	if err != nil {
		return fmt.Errorf("index template: %w", err)
	}
	settings := object{"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": true}
	if x.config.Replicas != nil {
		delete(settings, "auto_expand_replicas")
		settings["number_of_replicas"] = *x.config.Replicas
	}
	return x.makeIndex(ctx, x.stateIndex(), object{
		"settings": object{"index": settings},
		"mappings": object{"dynamic": false, "properties": object{}},
	})
}

// makeIndex makes an index if it is not there.
func (x *Index) makeIndex(ctx context.Context, name string, body any) error {
	err := x.client.ask(ctx, http.MethodPut, "/"+name, body, nil)
	if isType(err, "resource_already_exists_exception") {
		return nil
	}
	return err
}

// ensure makes the index of a month if it is not there, and shows it under the
// alias if this generation is in use.
func (x *Index) ensure(ctx context.Context, month string) error {
	name := x.Path() + "-" + month
	if x.indexes[name] {
		return nil
	}
	if err := x.makeIndex(ctx, name, object{}); err != nil {
		return fmt.Errorf("index %s: %w", name, err)
	}
	n, err := x.generation(ctx, x.base())
	if err == nil && numbered(x.base(), n) == x.Path() {
		err = x.client.ask(ctx, http.MethodPost, "/_aliases", object{
			"actions": []object{{"add": object{"index": name, "alias": x.config.Prefix}}},
		}, nil)
	}
	if err == nil {
		x.indexes[name] = true
	}
	return err
}

// Use makes this generation the one in use: the alias leads to it at once. Others
// of any analysis are removed.
func (x *Index) Use(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	n, err := strconv.Atoi(x.Path()[strings.LastIndexByte(x.Path(), '-')+1:])
	if err != nil {
		return err
	}
	err = x.client.ask(ctx, http.MethodPut, "/"+x.stateIndex()+"/_doc/"+escapePath(x.base())+"?refresh=true", object{"generation": n}, nil)
	if err != nil {
		return fmt.Errorf("change over to %s: %w", x.Path(), err)
	}
	mine, err := x.list(ctx, x.pattern())
	if err != nil || len(mine) == 0 {
		return err
	}
	actions := []object{{"remove": object{"index": x.config.Prefix + "-*", "alias": x.config.Prefix, "must_exist": false}}}
	for _, name := range mine {
		actions = append(actions, object{"add": object{"index": name, "alias": x.config.Prefix}})
	}
	return x.client.ask(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil)
}

// RemoveOthers removes the indexes of other generations and analyses under the
// prefix.
func (x *Index) RemoveOthers(ctx context.Context) error {
	all, err := x.list(ctx, x.config.Prefix+"-*")
	if err != nil {
		return err
	}
	var others []string
	for _, name := range all {
		if g, ok := x.generationOf(name); ok && g != x.Path() && !slices.Contains(others, g) {
			others = append(others, g)
		}
	}
	var errs []error
	for _, g := range others {
		if err := x.remove(ctx, g); err != nil {
			errs = append(errs, err)
			continue
		}
		x.log.Info("removed an index that is no longer in use", "index", g)
	}
	return errors.Join(errs...)
}

// generationOf returns the generation that an index is of, if it is of this
// package: prefix, hash, number, month.
func (x *Index) generationOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, x.config.Prefix+"-")
	parts := strings.SplitN(rest, "-", 3)
	if !ok || len(parts) != 3 || len(parts[0]) != 12 {
		return "", false
	}
	_, herr := hex.DecodeString(parts[0])
	n, nerr := strconv.Atoi(parts[1])
	return numbered(x.config.Prefix+"-"+parts[0], n), herr == nil && nerr == nil
}

// list returns the names of the indexes that a pattern matches, sorted.
func (x *Index) list(ctx context.Context, pattern string) ([]string, error) {
	var rows []struct{ Index string }
	err := x.client.ask(ctx, http.MethodGet, "/_cat/indices/"+pattern+"?format=json&h=index&expand_wildcards=all", nil, &rows)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Index
	}
	slices.Sort(names)
	return names, nil
}

// remove removes a generation with its state.
func (x *Index) remove(ctx context.Context, name string) error {
	list, err := x.list(ctx, name+"-*")
	if err != nil {
		return err
	}
	for _, index := range list {
		if err := x.client.ask(ctx, http.MethodDelete, "/"+index, nil, nil); err != nil && !isStatus(err, http.StatusNotFound) {
			return err
		}
	}
	err = x.client.ask(ctx, http.MethodDelete, "/"+x.stateIndex()+"/_doc/"+escapePath(name)+"?refresh=true", nil, nil)
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// Remove removes the index from the cluster.
func (x *Index) Remove(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	clear(x.indexes)
	x.stories = nil
	return x.remove(ctx, x.Path())
}

// putState gives a new index its state.
func (x *Index) putState(ctx context.Context) error {
	err := x.client.ask(ctx, http.MethodPut, "/"+x.stateIndex()+"/_create/"+escapePath(x.Path()), state{}, nil)
	if isStatus(err, http.StatusConflict) {
		return nil // it has one
	}
	return err
}

// state returns the state and what numbers it.
func (x *Index) state(ctx context.Context) (state, stateVersion, error) {
	if x.closed.Load() {
		return state{}, stateVersion{}, fmt.Errorf("%w: index %s is closed", search.ErrUnavailable, x.Path())
	}
	var doc struct {
		Source state `json:"_source"`
		Seq    int64 `json:"_seq_no"`
		Term   int64 `json:"_primary_term"`
	}
	err := x.client.ask(ctx, http.MethodGet, "/"+x.stateIndex()+"/_doc/"+escapePath(x.Path()), nil, &doc)
	if isStatus(err, http.StatusNotFound) && x.config.ReadOnly {
		// The indexer that writes has put another one in its place.
		n, gerr := x.generation(ctx, x.base())
		if name := numbered(x.base(), n); gerr == nil && n > 0 && name != x.Path() {
			x.setName(name)
			return x.state(ctx)
		}
	}
	if isStatus(err, http.StatusNotFound) {
		err = fmt.Errorf("%w: index %s is gone from the cluster; start the indexer again to build it anew", search.ErrUnavailable, x.Path())
	}
	return doc.Source, stateVersion{doc.Seq, doc.Term}, err
}

// AppliedSeq returns the sequence of the last message that the index includes.
func (x *Index) AppliedSeq(ctx context.Context) (uint64, error) {
	st, _, err := x.state(ctx)
	return st.AppliedSeq, err
}

// refresh lets searches see what is written.
func (x *Index) refresh(ctx context.Context) error {
	return x.client.ask(ctx, http.MethodPost, "/"+x.pattern()+"/_refresh?allow_no_indices=true", nil, nil)
}

// Flush does nothing: what Write has returned for is on disk.
func (x *Index) Flush(context.Context) error { return nil }

// Close ends the use of the cluster. The index stays there.
func (x *Index) Close() error {
	if x.closed.Swap(true) {
		return nil
	}
	return x.client.close()
}
