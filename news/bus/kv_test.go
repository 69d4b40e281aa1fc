package bus

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// silent is a bucket whose answers are lost.
type silent struct{ jetstream.KeyValue }

func (silent) Put(ctx context.Context, _ string, _ []byte) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestLostAnswerOfABucketIsNotWaitedForAsLongAsAHandlerHas(t *testing.T) {
	for _, c := range []struct {
		has, want time.Duration
		err       error
	}{
		{6 * time.Hour, kvTimeout, errNoAnswer},
		{time.Second, time.Second, context.DeadlineExceeded},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.has)
			defer cancel()
			began := time.Now()
			_, err := bucket{silent{}}.Put(ctx, "key", nil)
			if took := time.Since(began); took != c.want || !errors.Is(err, c.err) || !IsAway(err) {
				t.Errorf("with %v: got %v after %v, want %v after %v", c.has, err, took, c.err, c.want)
			}
		})
	}
}
