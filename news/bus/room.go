package bus

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// maxHalved leaves 1 GiB of the largest default.
const maxHalved = 6

// fit halves the defaults until a server can reserve those of all streams that
// are missing. A server by itself refuses the first that is too much, but one of
// a cluster knows of the others' reservations only some seconds later, and
// neither lets a stream be made smaller once it has promised too much. So fit
// asks for the sum in one stream, and deletes that again.
func (b *Bus) fit(ctx context.Context) error {
	if b.server != nil {
		return nil // it promises whatever it is asked for
	}
	for tries := 0; ; b.halved++ {
		var sum int64
		for name, bytes := range b.sizes() {
			err := b.insist(ctx, func(ctx context.Context) error {
				_, err := b.js.Stream(ctx, name)
				if errors.Is(err, jetstream.ErrStreamNotFound) {
					sum += bytes
					return nil
				}
				return err
			})
			if err != nil {
				return setupError("stream "+name, err)
			}
		}
		if sum == 0 {
			return nil
		}
		err := b.insist(ctx, func(ctx context.Context) error { return b.probe(ctx, sum) })
		if err == nil || !isStorage(err) {
			return setupError("streams", err)
		}
		if b.halved < maxHalved {
			continue
		}
		// Others that start at this moment hold the room while they look, and give
		// it back. To go on without it would promise too much.
		if tries++; tries > setupTries || sleep(ctx, jitter(time.Second)) != nil {
			return setupError("streams", err)
		}
		b.halved = -1
	}
}

// probe reports whether the server can reserve so many bytes. Another service
// may probe at the same time.
func (b *Bus) probe(ctx context.Context, bytes int64) error {
	const name = "XINWEN_PROBE"
	_, err := b.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: name, Description: "finds out how much room there is; it can be deleted", Subjects: []string{"xinwen.probe"},
		Storage: jetstream.FileStorage, MaxBytes: bytes, Replicas: max(b.config.Replicas, 1),
	})
	taken := errors.Is(err, jetstream.ErrStreamNameAlreadyInUse)
	if err != nil && !taken {
		return err
	}
	if err := b.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	if taken {
		return errors.New("another service looks for room")
	}
	return nil
}

// sizes returns the limits of all streams, also of those that hold buckets and
// objects.
func (b *Bus) sizes() map[string]int64 {
	l, all := b.config.Limits, make(map[string]int64)
	for i := range streams {
		if s := &streams[i]; !s.schedules {
			all[s.name] = b.room(s.bytes, s.limit(l))
		}
	}
	for _, cfg := range buckets {
		all["KV_"+cfg.Bucket] = b.room(defaultBucketBytes, l.BucketBytes)
	}
	for _, name := range []string{objectsPages, objectsKept} {
		all["OBJ_"+name] = b.room(defaultObjectBytes, l.ObjectBytes)
	}
	return all
}

// room returns the operator's limit or, where there is none, what is left of
// the default: 1 GiB or an eighth of it at least.
func (b *Bus) room(standard, operators int64) int64 {
	if operators > 0 {
		return operators
	}
	return max(standard>>b.halved, min(1<<30, standard/8))
}

// DefaultLimit returns how many bytes a stream holds unless the operator says
// otherwise, 0 for one that is not bounded by its server.
func DefaultLimit(name string) int64 {
	for i := range streams {
		if s := &streams[i]; s.name == name && !s.schedules {
			return s.bytes
		}
	}
	return 0
}

// isStorage reports whether a server, or each of a cluster, lacks the room that
// it would have to reserve.
func isStorage(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case codeStorageExceeded, codeNoResources:
		return true
	case codeNoPeers:
		return strings.Contains(api.Description, "insufficient storage")
	}
	return false
}

// warnSmall tells of limits below the defaults.
func (b *Bus) warnSmall(ctx context.Context) error {
	attrs := []any{"hint", "raise max_file_store of the NATS server above 100 GB and set limits for the bus; or set limits as they are to keep them"}
	for i := range streams {
		s, err := b.stream(ctx, streams[i].name)
		if err != nil {
			return err
		}
		if n := s.CachedInfo().Config.MaxBytes; n > 0 {
			attrs = append(attrs, strings.ToLower(streams[i].name)+"_bytes", n)
		}
	}
	b.log.Warn("the NATS server cannot reserve the default limits, smaller ones are in force", attrs...)
	return nil
}
