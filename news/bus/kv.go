package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// kvTimeout is how long the answer to one question to a bucket is waited for. A
// slow disk may take seconds, and has others to serve first; but an answer that
// was lost, as when the server starts its streams anew, never comes, and a handler
// may have hours.
const kvTimeout = 20 * time.Second

// bucket is a KeyValue whose questions for single keys do not wait for ever, however
// long their context lasts. What is written without an answer may be there.
type bucket struct{ jetstream.KeyValue }

// inTime asks, and returns errNoAnswer if only the answer's time is over.
func inTime[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	if _, ok := ctx.Deadline(); !ok {
		return ask(ctx) // the client waits 5 s by itself
	}
	actx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	v, err := ask(actx)
	if err != nil && ctx.Err() == nil && actx.Err() != nil {
		err = fmt.Errorf("%w within %s", errNoAnswer, kvTimeout)
	}
	return v, err
}

// Get implements jetstream.KeyValue.
func (b bucket) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	return inTime(ctx, func(ctx context.Context) (jetstream.KeyValueEntry, error) { return b.KeyValue.Get(ctx, key) })
}

// Put implements jetstream.KeyValue.
func (b bucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	return inTime(ctx, func(ctx context.Context) (uint64, error) { return b.KeyValue.Put(ctx, key, value) })
}

// Create implements jetstream.KeyValue.
func (b bucket) Create(ctx context.Context, key string, value []byte, opts ...jetstream.KVCreateOpt) (uint64, error) {
	return inTime(ctx, func(ctx context.Context) (uint64, error) { return b.KeyValue.Create(ctx, key, value, opts...) })
}

// Update implements jetstream.KeyValue.
func (b bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return inTime(ctx, func(ctx context.Context) (uint64, error) { return b.KeyValue.Update(ctx, key, value, revision) })
}

// Delete implements jetstream.KeyValue.
func (b bucket) Delete(ctx context.Context, key string, opts ...jetstream.KVDeleteOpt) error {
	_, err := inTime(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.KeyValue.Delete(ctx, key, opts...)
	})
	return err
}

// Purge implements jetstream.KeyValue.
func (b bucket) Purge(ctx context.Context, key string, opts ...jetstream.KVDeleteOpt) error {
	_, err := inTime(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.KeyValue.Purge(ctx, key, opts...)
	})
	return err
}
