package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Persist tries f again and again while the server is away, as when it is
// started again just then. Any other error it returns at once, and ctx's when
// that is done; what is to be told of in the meantime, as a short phrase.
func (b *Bus) Persist(ctx context.Context, what string, f func() error, attrs ...any) error {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !IsAway(err) || b.nc.IsClosed():
			return err
		}
		b.log.Warn(what+", will retry", append(attrs, "err", err)...)
		if err := sleep(ctx, jitter(wait)); err != nil {
			return err
		}
	}
}

// IsAway reports whether an error comes of a server that does not answer, or of a
// cluster that has no leader yet.
func IsAway(err error) bool {
	for _, away := range []error{
		nats.ErrReconnectBufExceeded, nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrTimeout, nats.ErrNoResponders,
		jetstream.ErrNoStreamResponse, context.DeadlineExceeded, errNoAnswer, errConnectionLost,
	} {
		if errors.Is(err, away) {
			return true
		}
	}
	var api *jetstream.APIError
	return isNetError(err) || errors.As(err, &api) && api.Code >= 500 && !isStorage(err)
}
