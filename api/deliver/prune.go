package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Retention is how long ended deliveries stay in the log. An article that
	// changes after it may be told of once more.
	Retention = 90 * 24 * time.Hour
	// pruneEvery is how often the log is pruned.
	pruneEvery = 6 * time.Hour
)

// pruneLoop prunes the log until ctx is done.
func (s *Service) pruneLoop(ctx context.Context) {
	t := time.NewTicker(pruneEvery)
	defer t.Stop()
	for {
		n, err := s.prune(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.o.Logger.Warn("log of deliveries not pruned, will try again", "err", err)
		case n > 0:
			s.o.Logger.Info("log of deliveries pruned", "deliveries", n, "older_than", Retention)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// prune takes ended deliveries that are older than Retention out of the log.
func (s *Service) prune(ctx context.Context) (n int, err error) {
	before := s.now().Add(-Retention)
	var old []string
	err = s.journal.list(ctx, "", "", func(l *letter) {
		if l.Status != Pending && l.Status != Waiting && l.Created.Before(before) && l.LastTry.Before(before) {
			old = append(old, recordKey(l.Rule, l.ID))
		}
	})
	if err != nil {
		return 0, err
	}
	digests, err := s.journal.keys(ctx, "digest.>", func(data []byte) bool {
		var d digest
		return json.Unmarshal(data, &d) != nil || d.State == digestDone && d.Due.Before(before)
	})
	if err != nil {
		return 0, err
	}
	for _, key := range append(old, digests...) {
		if err := s.journal.kv.Purge(ctx, key); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, nil
	}
	// A purge leaves a marker; those are taken away too.
	return n, s.journal.kv.PurgeDeletes(ctx, jetstream.DeleteMarkersOlderThan(-1))
}

// keys returns the keys of a pattern whose values are wanted.
func (j journal) keys(ctx context.Context, pattern string, wanted func([]byte) bool) ([]string, error) {
	w, err := j.kv.Watch(ctx, pattern, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Stop() }() // only reading
	var keys []string
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return nil, errors.New("list keys: the watch ended early")
			}
			if e == nil {
				return keys, nil
			}
			if wanted(e.Value()) {
				keys = append(keys, e.Key())
			}
		}
	}
}
