package indexer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/change"
	"xinwen/indexer/opensearch"
	"xinwen/indexer/search"
	"xinwen/news/lexicon"
)

// Engines that keep an index.
const (
	EngineBleve      = "bleve"      // in this process, on this machine's disk
	EngineOpenSearch = "opensearch" // in a cluster of its own
)

// index is an open index.
type index interface {
	search.Searcher
	search.Counter
	search.Storyteller
	search.Resembler
	// Write applies messages up to seq.
	Write(ctx context.Context, seq uint64, ops []change.Op) error
	AppliedSeq(ctx context.Context) (uint64, error)
	// Flush returns when everything written is on disk.
	Flush(ctx context.Context) error
	Close() error
	// Path says where the index is.
	Path() string
}

// engine opens indexes and changes one for another.
type engine interface {
	// open opens the index in use and makes one where there is none.
	open(ctx context.Context) (index, error)
	// next opens an empty index beside the one in use.
	next(ctx context.Context) (index, error)
	// drop closes and removes what next has opened.
	drop(ctx context.Context, next index) error
	// replace closes old, puts next in its place and returns that, open, even where
	// it could not: then the old one.
	replace(ctx context.Context, old, next index) (index, error)
	// startOver closes old, sets it aside and returns an empty one.
	startOver(ctx context.Context, old index) (index, error)
	// removeOthers removes indexes that another analysis made.
	removeOthers(ctx context.Context, current index) error
	// follows says that this indexer writes to the index.
	follows() bool
}

func newEngine(o Options) (engine, error) {
	if o.Config.Engine == EngineOpenSearch {
		return remote{opensearch.Options{Config: o.Config.OpenSearch, Analyzer: o.Analyzer, Lexicon: o.Lexicon, Logger: o.Logger}}, nil
	}
	l := local{bleve.Options{Dir: o.Dir, Analyzer: o.Analyzer, Lexicon: o.Lexicon, Logger: o.Logger, Reached: o.Bus.Reached}}
	return l, l.tidy()
}

// localIndex is an index of Bleve's.
type localIndex struct{ *bleve.Index }

// AppliedSeq implements index.
func (x localIndex) AppliedSeq(context.Context) (uint64, error) { return x.Index.AppliedSeq() }

// local keeps indexes in directories.
type local struct{ options bleve.Options }

// Suffixes of directories while a rebuild is under way, and of one set aside.
const (
	newSuffix   = ".new"
	oldSuffix   = ".old"
	aheadSuffix = ".ahead"
)

func (l local) follows() bool { return true }

func (l local) path() string { return bleve.Path(l.options.Dir, l.options.Analyzer) }

// tidy removes what an interrupted rebuild has left.
func (l local) tidy() error {
	for _, suffix := range []string{newSuffix, oldSuffix} {
		if err := os.RemoveAll(l.path() + suffix); err != nil {
			return fmt.Errorf("%w; choose a data directory that this user may write to", err)
		}
	}
	return nil
}

func (l local) open(context.Context) (index, error) {
	x, err := bleve.Open(l.options)
	if err != nil {
		return nil, err
	}
	return localIndex{x}, nil
}

func (l local) next(context.Context) (index, error) {
	path := l.path() + newSuffix
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	x, err := bleve.OpenAt(path, l.options)
	if err != nil {
		return nil, err
	}
	return localIndex{x}, nil
}

func (l local) drop(_ context.Context, next index) error {
	return errors.Join(next.Close(), os.RemoveAll(next.Path()))
}

// replace closes both for the moment: an open index cannot be moved.
func (l local) replace(ctx context.Context, old, next index) (index, error) {
	err := errors.Join(next.Close(), old.Close())
	if err == nil {
		err = exchange(l.path())
	}
	opened, oerr := l.open(ctx)
	if oerr != nil {
		return nil, errors.Join(err, fmt.Errorf("%w; start the indexer again", oerr))
	}
	return opened, err
}

// exchange puts the index built beside the one at path in its place.
func exchange(path string) error {
	if err := os.RemoveAll(path + oldSuffix); err != nil {
		return err
	}
	if err := os.Rename(path, path+oldSuffix); err != nil {
		return err
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return errors.Join(err, os.Rename(path+oldSuffix, path))
	}
	return os.RemoveAll(path + oldSuffix)
}

func (l local) startOver(ctx context.Context, old index) (index, error) {
	path := old.Path()
	if err := errors.Join(old.Close(), os.RemoveAll(path+aheadSuffix), os.Rename(path, path+aheadSuffix)); err != nil {
		return nil, err
	}
	return l.open(ctx)
}

func (l local) removeOthers(_ context.Context, current index) error {
	paths, err := filepath.Glob(filepath.Join(l.options.Dir, bleve.Prefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range paths {
		if filepath.Ext(p) != "" || p == current.Path() {
			continue
		}
		if err := os.RemoveAll(p); err != nil {
			errs = append(errs, fmt.Errorf("%w; delete it by hand", err))
			continue
		}
		l.options.Logger.Info("removed the index of an older analysis", "path", p)
	}
	return errors.Join(errs...)
}

// remote keeps indexes in an OpenSearch cluster.
type remote struct{ options opensearch.Options }

func (r remote) follows() bool { return !r.options.Config.ReadOnly }

func (r remote) open(ctx context.Context) (index, error) {
	x, err := opensearch.Open(ctx, r.options)
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (r remote) next(ctx context.Context) (index, error) {
	x, err := opensearch.OpenNext(ctx, r.options)
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (r remote) drop(ctx context.Context, next index) error {
	return errors.Join(next.(*opensearch.Index).Remove(ctx), next.Close())
}

func (r remote) replace(ctx context.Context, old, next index) (index, error) {
	x := next.(*opensearch.Index)
	if err := x.Use(ctx); err != nil {
		return old, err
	}
	if err := x.RemoveOthers(ctx); err != nil {
		r.options.Logger.Warn("indexes not removed that are no longer in use: delete them by hand", "err", err)
	}
	return x, old.Close()
}

func (r remote) startOver(ctx context.Context, old index) (index, error) {
	// There is no setting aside in a cluster but the next number.
	next, err := r.next(ctx)
	if err != nil {
		return nil, err
	}
	return r.replace(ctx, old, next)
}

func (r remote) removeOthers(ctx context.Context, current index) error {
	return current.(*opensearch.Index).RemoveOthers(ctx)
}

var (
	_ index = localIndex{}
	_ index = (*opensearch.Index)(nil)
)

// analyzerOf returns the analyzer of o, which it makes where there is none.
func analyzerOf(o Options) (*analysis.Analyzer, error) {
	if o.Analyzer != nil {
		return o.Analyzer, nil
	}
	var lex *lexicon.Lexicon
	if o.Lexicon != nil {
		lex = o.Lexicon.Current()
	}
	return analysis.New(analysis.Options{Lexicon: lex})
}
