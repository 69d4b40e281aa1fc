package bleve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleveindex "github.com/blevesearch/bleve_index_api"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sync/semaphore"

	"xinwen/indexer/analysis"
	"xinwen/indexer/plan"
	"xinwen/indexer/search"
	"xinwen/indexer/story"
	"xinwen/news/lexicon"
)

// layout is raised whenever what is kept in the index changes. Together with
// the hash of the analysis it names the index's directory.
const layout = 5

// lockTimeout is how long Open waits for another process to let go of the
// index.
const lockTimeout = 2 * time.Second

// floorSegment is how many articles the smallest segments are taken to have when
// merges are planned. With scorch's own 2,000 each batch of a few articles is
// merged with all others up to that size: at ten to thirty articles a second that
// took 40 % of the whole pipeline's processor time.
const floorSegment = 100

// segmentsPerTier is how many segments of about the same size may be there before
// they are merged. By scorch's own planner, with half as many as it has by itself
// a search looks into half as many dictionaries on average; each article is copied
// 7 times instead of 5 where it comes with two others, and 1.8 instead of 1.5 times
// where it comes with 500.
const segmentsPerTier = 5

// maxUnpersisted is how many batches may be in memory only. A crash loses them
// together with their sequence, so they are read from ARTICLES again.
const maxUnpersisted = 4

// ErrLocked says that another process has the index open.
var ErrLocked = errors.New("the index is open in another process")

// Options say where an index is and how its text is analysed.
type Options struct {
	// Dir holds the index in a directory of its own, named after the analysis.
	Dir      string
	Analyzer *analysis.Analyzer
	// Lexicon resolves entity names in queries; it may be nil.
	Lexicon *lexicon.Store
	Logger  *slog.Logger
	// Reached, if not nil, is told of the boundaries that a batch comes to, as
	// bus.Bus.Reached.
	Reached func(where, what string)
}

// Index is an open index. Its methods are safe for concurrent use.
type Index struct {
	path     string
	analyzer *analysis.Analyzer
	planner  *plan.Planner
	log      *slog.Logger
	scorch   bleveindex.Index
	queue    *bleveindex.AnalysisQueue
	memory   *memory
	// Searches take turns, as many at once as there are processors, in the order
	// in which they came: all at once, each would wait for all others, and a
	// costly one longest.
	turns *semaphore.Weighted

	writing     sync.Mutex     // one Write at a time
	stories     *story.Tracker // nil until needed; for who holds writing
	unpersisted chan struct{}
	fault       atomic.Pointer[time.Time] // of the last background error; nil if something was persisted since
	reached     func(where, what string)
	closing     chan struct{}
	closed      sync.Once
}

// state is kept in the index beside the articles and changes with them.
type state struct {
	AppliedSeq uint64 `json:"applied_seq"`
	// Docs counts the articles that are not deleted, Tokens sums up the lengths
	// of their scored fields.
	Docs   uint64            `json:"docs"`
	Tokens map[string]uint64 `json:"tokens"`
	// StoryFloor is story.Tracker.Floor.
	StoryFloor uint64 `json:"story_floor,omitempty"`
}

var stateKey = []byte("state")

// Path returns the directory under dir of an index analysed by a.
func Path(dir string, a *analysis.Analyzer) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s", layout, a.Hash()))
	return filepath.Join(dir, Prefix+hex.EncodeToString(sum[:6]))
}

// Prefix begins the name of every index's directory.
const Prefix = "bleve-"

// Open opens the index in o.Dir and creates it where there is none. An index
// that cannot be read is moved aside (its name ends in .corrupt; the last one
// is kept) and an empty one takes its place.
func Open(o Options) (*Index, error) {
	return OpenAt(Path(o.Dir, o.Analyzer), o)
}

// OpenAt is Open with a directory other than Path gives.
func OpenAt(path string, o Options) (*Index, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("index: %w; choose a data directory that this user may write to", err)
	}
	if err := verify(path); err != nil {
		if !errors.Is(err, errCorrupt) {
			return nil, err
		}
		aside := path + ".corrupt"
		log.Error("index is damaged: moved aside, building a new one from the stream",
			"path", path, "moved_to", aside, "err", err)
		if err := os.RemoveAll(aside); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
		if err := os.Rename(path, aside); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
	}
	x := &Index{
		path:        path,
		analyzer:    o.Analyzer,
		planner:     &plan.Planner{Analyzer: o.Analyzer, Lexicon: o.Lexicon},
		log:         log,
		queue:       bleveindex.NewAnalysisQueue(1), // fields come analysed
		memory:      newMemory(frequencyBytes),
		turns:       semaphore.NewWeighted(int64(workers())),
		unpersisted: make(chan struct{}, maxUnpersisted),
		reached:     o.Reached,
		closing:     make(chan struct{}),
	}
	if x.reached == nil {
		x.reached = func(string, string) {}
	}
	reportAsyncErrors(path, func() {
		now := time.Now()
		x.fault.Store(&now)
	}, func(err error) {
		log.Error("index cannot be written: check the disk's free space and health", "path", path, "err", err)
	})
	var err error
	x.scorch, err = scorch.NewScorch("xinwen", map[string]any{
		"path":                   path,
		"bolt_timeout":           lockTimeout.String(),
		"unsafe_batch":           true,
		"scorchMergePlanOptions": map[string]any{"FloorSegmentSize": floorSegment, "MaxSegmentsPerTier": segmentsPerTier},
		"asyncErrorCallbackName": asyncErrors,
	}, x.queue)
	if err == nil {
		err = x.scorch.Open()
	}
	if err != nil {
		x.queue.Close()
		return nil, openError(path, err)
	}
	if err := x.begin(); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// begin gives a new index its state, by which verify knows one that is whole.
func (x *Index) begin() error {
	r, err := x.reader()
	if err != nil {
		return err
	}
	data, err := r.GetInternal(stateKey)
	if err := errors.Join(err, r.Close()); err != nil {
		return openError(x.path, err)
	}
	if data != nil {
		return nil
	}
	if data, err = json.Marshal(state{}); err != nil {
		return err
	}
	b := bleveindex.NewBatch()
	b.SetInternal(stateKey, data)
	return x.apply(b)
}

// openError says what to do about an index that does not open.
func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("index %s: %w; stop the other process or give this one a data directory of its own", path, ErrLocked)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("index %s: %w; give this user the right to read and write it", path, err)
	case strings.Contains(err.Error(), "too many open files"):
		return fmt.Errorf("index %s: %w; raise the limit of open files (ulimit -n) to 4096 or more", path, err)
	}
	return fmt.Errorf("index %s: %w", path, err)
}

// Path returns the directory of the index.
func (x *Index) Path() string { return x.path }

// Flush returns when everything written is on disk.
func (x *Index) Flush(ctx context.Context) error {
	done := make(chan struct{})
	b := bleveindex.NewBatch()
	b.SetPersistedCallback(func(error) { close(done) })
	if err := x.apply(b); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-x.closing:
		return x.errClosed()
	case <-ctx.Done():
		return fmt.Errorf("index %s: flush: %w", x.path, ctx.Err())
	}
}

// apply gives scorch a batch, for which a closed one would wait for ever.
func (x *Index) apply(b *bleveindex.Batch) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.applyLocked(b)
}

// applyLocked is apply for who holds writing.
func (x *Index) applyLocked(b *bleveindex.Batch) error {
	select {
	case <-x.closing:
		return x.errClosed()
	default:
	}
	if err := x.scorch.Batch(b); err != nil {
		return openError(x.path, err)
	}
	return nil
}

// Close closes the index. What is not on disk yet is read from ARTICLES again
// after the next Open; Flush first to avoid that.
func (x *Index) Close() error {
	var err error
	x.closed.Do(func() {
		close(x.closing)
		x.writing.Lock()
		defer x.writing.Unlock()
		err = x.scorch.Close()
		x.queue.Close()
		reportAsyncErrors(x.path, nil, nil)
	})
	return err
}

// AppliedSeq returns the sequence of the last message that the index includes.
func (x *Index) AppliedSeq() (uint64, error) {
	st, err := x.state()
	return st.AppliedSeq, err
}

func (x *Index) state() (state, error) {
	r, err := x.reader()
	if err != nil {
		return state{}, err
	}
	defer func() { _ = r.Close() }() // it only reads
	return readState(r)
}

// reader returns a reader on the index as it is now.
func (x *Index) reader() (bleveindex.IndexReader, error) {
	r, err := x.scorch.Reader()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", search.ErrUnavailable, openError(x.path, err))
	}
	// Scorch gives a nil snapshot when it is closed.
	if s, ok := r.(*scorch.IndexSnapshot); ok && s == nil {
		return nil, x.errClosed()
	}
	return r, nil
}

func (x *Index) errClosed() error {
	return fmt.Errorf("%w: index %s is closed", search.ErrUnavailable, x.path)
}

func readState(r bleveindex.IndexReader) (state, error) {
	st := state{Tokens: make(map[string]uint64)}
	data, err := r.GetInternal(stateKey)
	if err != nil {
		return st, fmt.Errorf("state of the index: %w", err)
	}
	if data == nil {
		return st, nil
	}
	if err := json.Unmarshal(data, &st); err != nil {
		return st, fmt.Errorf("state of the index: %w", err)
	}
	if st.Tokens == nil {
		st.Tokens = make(map[string]uint64)
	}
	return st, nil
}

// Bytes returns the size of the index on disk.
func (x *Index) Bytes() uint64 { return dirSize(x.path) }

func dirSize(dir string) uint64 {
	var n uint64
	// A file that a merge removes meanwhile is no error.
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += uint64(info.Size())
			}
		}
		return nil
	})
	return n
}

var errCorrupt = errors.New("index is damaged")

// verify says whether the index at path can be opened. Scorch itself would
// take a snapshot that it cannot load for no snapshot, start empty and delete
// the segments.
func verify(path string) (err error) {
	root := filepath.Join(path, "root.bolt")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	corrupt := func(err error) error { return fmt.Errorf("%w: %s: %w", errCorrupt, path, err) }
	defer func() {
		if p := recover(); p != nil {
			err = corrupt(fmt.Errorf("%v", p))
		}
	}()

	snapshots := false
	db, err := bolt.Open(root, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	switch {
	case err == nil:
		err = db.View(func(tx *bolt.Tx) error {
			if b := tx.Bucket([]byte("s")); b != nil {
				k, _ := b.Cursor().First()
				snapshots = k != nil
			}
			return nil
		})
		err = errors.Join(err, db.Close())
		if err != nil {
			return corrupt(err)
		}
	case errors.Is(err, bolterrors.ErrTimeout), errors.Is(err, fs.ErrPermission):
		return openError(path, err)
	default:
		return corrupt(err)
	}
	if !snapshots {
		return nil
	}

	queue := bleveindex.NewAnalysisQueue(1)
	defer queue.Close()
	ro, err := scorch.NewScorch("xinwen", map[string]any{
		"path": path, "read_only": true, "bolt_timeout": lockTimeout.String(),
	}, queue)
	if err != nil {
		return openError(path, err)
	}
	if err := ro.Open(); err != nil {
		if errors.Is(err, bolterrors.ErrTimeout) {
			return openError(path, err)
		}
		return corrupt(err)
	}
	defer func() { _ = ro.Close() }()
	r, err := ro.Reader()
	if err != nil {
		return corrupt(err)
	}
	defer func() { _ = r.Close() }() // it only reads
	data, err := r.GetInternal(stateKey)
	if err != nil {
		return corrupt(err)
	}
	if data == nil {
		return corrupt(errors.New("no snapshot can be loaded"))
	}
	return nil
}

const asyncErrors = "xinwen"

// asyncHandlers are told of errors in scorch's background work, by path. Scorch
// looks its callback up in a registry, so there can be only one.
var (
	asyncHandlers sync.Map // path -> func(error)
	asyncRegister = sync.OnceFunc(func() {
		scorch.RegistryAsyncErrorCallbacks[asyncErrors] = func(err error, path string) {
			if f, ok := asyncHandlers.Load(path); ok {
				f.(func(error))(err)
			}
		}
	})
)

// reportAsyncErrors calls each at every background error of the index at path, and
// has f told of one in ten seconds at most; nil ends that.
func reportAsyncErrors(path string, each func(), f func(error)) {
	asyncRegister()
	if f == nil {
		asyncHandlers.Delete(path)
		return
	}
	var mu sync.Mutex
	var last time.Time
	asyncHandlers.Store(path, func(err error) {
		each()
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) >= 10*time.Second {
			last = time.Now()
			f(err)
		}
	})
}

// workers is how many articles are analysed, and searches answered, at a time.
func workers() int { return runtime.GOMAXPROCS(0) }
