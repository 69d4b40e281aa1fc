package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

const (
	// maxKeys bounds the keys, revoked ones included.
	maxKeys = 1000
	// maxName bounds the name of a key, in code points.
	maxName = 80
	// usedEvery is how coarse the time of last use is: each use must not cost a
	// write.
	usedEvery = time.Hour
)

// Entries of the bucket: "key/ID", "used/ID" (apart, so that noting a use never
// undoes a revocation) and "session/ID".
const (
	keyEntry     = "key/"
	usedEntry    = "used/"
	sessionEntry = "session/"
)

// Reasons why a key opens nothing.
var (
	ErrUnknown = errors.New("the key is not known")
	ErrGarbled = errors.New("the key is not whole: a character was lost or changed")
	ErrExpired = errors.New("the key has expired")
	ErrRevoked = errors.New("the key was revoked")
)

// Faults of a change.
var (
	// ErrNoKey says that there is no key of an ID.
	ErrNoKey = errors.New("there is no such key")
	// ErrFixed says that a key is the configuration's.
	ErrFixed = errors.New("the key comes from the configuration; take it out there")
	// ErrFirstAdmin says that the first key must be an administrator's.
	ErrFirstAdmin = errors.New("the first key must have the role admin: without one nobody could make or revoke others")
	// ErrLastAdmin says that a key must stay.
	ErrLastAdmin = errors.New("this is the last key with the role admin; make another first, or revoke the others before it")
	// ErrTooMany says that there is no room for another key.
	ErrTooMany = fmt.Errorf("there are %d keys already", maxKeys)
)

// Store keeps keys and sessions in the bucket bus.KVKeys and follows what other
// processes change there. Its methods may be called at the same time.
type Store struct {
	bus   *bus.Bus
	kv    jetstream.KeyValue
	log   *slog.Logger
	fixed []*Key

	mu       sync.RWMutex
	keys     map[string]*Key // by ID; never changed, only replaced
	used     map[string]time.Time
	sessions map[string]*session
	// revisions are those of the entries that were written here: what the watch
	// brings of before must not undo them.
	revisions map[string]uint64
	noting    chan string // IDs of keys whose use is to be written down
}

// NewStore returns a store over the bucket of b, and beside it fixed, keys with
// the role Admin that the operator has chosen.
func NewStore(b *bus.Bus, log *slog.Logger, fixed ...string) *Store {
	s := &Store{
		bus: b, kv: b.KV(bus.KVKeys), log: log, keys: make(map[string]*Key), used: make(map[string]time.Time), sessions: make(map[string]*session), revisions: make(map[string]uint64),
		noting: make(chan string, 64),
	}
	for _, text := range fixed {
		sum := sha256.Sum256([]byte(text))
		s.fixed = append(s.fixed, &Key{ID: idOf(text), Name: "configuration", Role: Admin, Hash: sum[:], Fixed: true})
	}
	return s
}

// Load reads all keys. It is called once, before anything else.
func (s *Store) Load(ctx context.Context) error {
	return s.bus.Persist(ctx, "keys not read", func() error { return s.load(ctx) })
}

func (s *Store) load(ctx context.Context) error {
	w, err := s.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = w.Stop() }() // only reading
	if err := s.follow(ctx, w, true); err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	return nil
}

// Run follows changes, and writes down when keys were used, until ctx is done.
func (s *Store) Run(ctx context.Context) {
	var notes sync.WaitGroup
	notes.Go(func() { s.note(ctx) })
	defer notes.Wait()
	for ctx.Err() == nil {
		w, err := s.kv.WatchAll(ctx)
		if err == nil {
			err = s.follow(ctx, w, false)
			_ = w.Stop() // it has ended
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("keys are not followed; a revocation elsewhere is not seen yet", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// follow applies updates until w ends, or if once is set until it has brought
// all there is.
func (s *Store) follow(ctx context.Context, w jetstream.KeyWatcher, once bool) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return errors.New("the watch ended")
			case e != nil:
				s.apply(e)
			case once:
				return nil
			}
		}
	}
}

func (s *Store) apply(e jetstream.KeyValueEntry) {
	kind, id, _ := strings.Cut(e.Key(), "/")
	gone := e.Operation() != jetstream.KeyValuePut
	fail := func(err error) {
		s.log.Error("entry of the keys cannot be read; it opens nothing", "key", e.Key(), "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if written := s.revisions[e.Key()]; written != 0 {
		if e.Revision() >= written || gone {
			delete(s.revisions, e.Key()) // the watch has caught up
		}
		if e.Revision() < written {
			return
		}
	}
	switch kind + "/" {
	case keyEntry:
		var k Key
		if !gone {
			if err := json.Unmarshal(e.Value(), &k); err != nil || k.ID != id {
				fail(cmp.Or(err, errors.New("its ID is another")))
				gone = true
			}
		}
		if gone {
			delete(s.keys, id)
			return
		}
		s.keys[id] = &k
	case usedEntry:
		if t, err := time.Parse(time.RFC3339, string(e.Value())); err == nil && t.After(s.used[id]) {
			s.used[id] = t
		}
	case sessionEntry:
		var v session
		if !gone {
			if err := json.Unmarshal(e.Value(), &v); err != nil {
				fail(err)
				gone = true
			}
		}
		if gone {
			delete(s.sessions, id)
			return
		}
		s.sessions[id] = &v
	}
}

// Any reports whether anybody must show a key: one was made, and not revoked. An
// expired one counts, so that nothing opens by itself.
func (s *Store) Any() bool {
	if len(s.fixed) > 0 {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.keys {
		if k.Revoked.IsZero() {
			return true
		}
	}
	return false
}

// List returns all keys without their hashes: active ones first, newest first.
func (s *Store) List() []Key {
	now := time.Now()
	s.mu.RLock()
	var out []Key
	for _, k := range s.fixed {
		out = append(out, *k)
	}
	for _, k := range s.keys {
		out = append(out, *k)
	}
	for i := range out {
		out[i].Hash, out[i].Used = nil, s.used[out[i].ID]
	}
	s.mu.RUnlock()
	rank := func(k *Key) int {
		switch {
		case k.Fixed:
			return 0
		case k.Active(now):
			return 1
		}
		return 2
	}
	slices.SortFunc(out, func(a, b Key) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// New says what key to make.
type New struct {
	Name string
	Role Role
	// Lifetime is how long the key is good for; 0 means until it is revoked.
	Lifetime time.Duration
	// By names who makes it.
	By string
}

// InputError says what is wrong with a key that is to be made.
type InputError struct{ Message string }

// Error returns the message.
func (e *InputError) Error() string { return e.Message }

// Validate returns what is wrong with n, an *InputError.
func (n *New) Validate() error {
	message := ""
	switch {
	case n.Name == "":
		message = "the key needs a name that says who uses it"
	case utf8.RuneCountInString(n.Name) > maxName:
		message = fmt.Sprintf("the name is longer than %d characters", maxName)
	case strings.ContainsFunc(n.Name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		message = "the name has characters that cannot be shown"
	case !slices.Contains(Roles, n.Role):
		message = "the key needs a role: feeds, read, alerts or admin"
	case n.Lifetime < 0:
		message = "the key would have expired already"
	default:
		return nil
	}
	return &InputError{message}
}

// Create makes a key and returns it with its text, which is nowhere kept.
func (s *Store) Create(ctx context.Context, n New) (*Key, string, error) {
	n.Name = strings.TrimSpace(n.Name)
	if err := n.Validate(); err != nil {
		return nil, "", err
	}
	now := time.Now().UTC().Truncate(time.Second)
	s.mu.RLock()
	total, admins := len(s.keys), s.admins(now, "")
	s.mu.RUnlock()
	switch {
	case total >= maxKeys:
		return nil, "", ErrTooMany
	case admins == 0 && n.Role != Admin:
		return nil, "", ErrFirstAdmin
	}
	text := newSecret()
	sum := sha256.Sum256([]byte(text))
	k := &Key{ID: idOf(text), Name: n.Name, Role: n.Role, Hash: sum[:], By: n.By, Created: now}
	if n.Lifetime > 0 {
		k.Expires = now.Add(n.Lifetime)
	}
	data, err := json.Marshal(k)
	if err != nil {
		return nil, "", err
	}
	revision, err := s.kv.Create(ctx, keyEntry+k.ID, data)
	if err != nil {
		return nil, "", fmt.Errorf("store the key: %w", err)
	}
	s.mu.Lock()
	s.keys[k.ID], s.revisions[keyEntry+k.ID] = k, revision
	s.mu.Unlock()
	return k, text, nil
}

// admins counts the active keys with the role Admin but for one.
func (s *Store) admins(now time.Time, but string) int {
	n := len(s.fixed)
	for id, k := range s.keys {
		if id != but && k.Role == Admin && k.Active(now) {
			n++
		}
	}
	return n
}

// Revoke makes a key of no use, at once here and within moments elsewhere. It
// stays in the list. Sessions opened with it end.
func (s *Store) Revoke(ctx context.Context, id string) error {
	now := time.Now().UTC().Truncate(time.Second)
	for {
		e, err := s.kv.Get(ctx, keyEntry+bus.Key(id))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			if slices.ContainsFunc(s.fixed, func(k *Key) bool { return k.ID == id }) {
				return ErrFixed
			}
			return ErrNoKey
		}
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		var k Key
		if err := json.Unmarshal(e.Value(), &k); err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		if !k.Revoked.IsZero() {
			return nil
		}
		s.mu.RLock()
		admins := s.admins(now, id)
		others := false
		for other, o := range s.keys {
			others = others || other != id && o.Revoked.IsZero()
		}
		s.mu.RUnlock()
		if k.Role == Admin && admins == 0 && others {
			return ErrLastAdmin
		}
		k.Revoked = now
		data, err := json.Marshal(&k)
		if err != nil {
			return err
		}
		revision, err := s.kv.Update(ctx, keyEntry+id, data, e.Revision())
		if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			continue // somebody else was quicker
		}
		if err != nil {
			return fmt.Errorf("store the key: %w", err)
		}
		s.mu.Lock()
		s.keys[id], s.revisions[keyEntry+id] = &k, revision
		s.mu.Unlock()
		return nil
	}
}

// Authenticate returns whose key text is.
func (s *Store) Authenticate(text string) (Viewer, error) {
	if garbled(text) {
		return Viewer{}, ErrGarbled
	}
	id := idOf(text)
	k, err := s.key(id)
	if err != nil {
		return Viewer{}, err
	}
	if !k.is(text) {
		return Viewer{}, ErrUnknown
	}
	now := time.Now()
	s.mu.Lock()
	stale := now.Sub(s.used[id]) >= usedEvery
	if stale {
		s.used[id] = now.UTC().Truncate(time.Second)
	}
	s.mu.Unlock()
	if stale {
		select {
		case s.noting <- id:
		default: // the next hour will do
		}
	}
	return Viewer{Name: k.Name, Role: k.Role, Key: k.ID}, nil
}

// key returns an active key.
func (s *Store) key(id string) (*Key, error) {
	s.mu.RLock()
	k := s.keys[id]
	s.mu.RUnlock()
	if i := slices.IndexFunc(s.fixed, func(k *Key) bool { return k.ID == id }); i >= 0 {
		k = s.fixed[i]
	}
	switch {
	case k == nil:
		return nil, ErrUnknown
	case !k.Revoked.IsZero():
		return nil, ErrRevoked
	case k.expired(time.Now()):
		return nil, ErrExpired
	}
	return k, nil
}

// note writes down when keys were used.
func (s *Store) note(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-s.noting:
			s.mu.RLock()
			at := s.used[id]
			s.mu.RUnlock()
			if _, err := s.kv.Put(ctx, usedEntry+id, []byte(at.Format(time.RFC3339))); err != nil && ctx.Err() == nil {
				s.log.Warn("last use of a key not written down", "key", id, "err", err)
			}
		}
	}
}
