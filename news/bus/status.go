package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// StreamStatus tells how full a stream is and how far its consumers are.
type StreamStatus struct {
	Name      string           `json:"name"`
	Messages  uint64           `json:"messages"`
	Bytes     uint64           `json:"bytes"`
	MaxBytes  int64            `json:"max_bytes"`
	FirstSeq  uint64           `json:"first_seq"`
	LastSeq   uint64           `json:"last_seq"`
	Consumers []ConsumerStatus `json:"consumers,omitempty"`
}

// ConsumerStatus tells how far a durable consumer is.
type ConsumerStatus struct {
	Name        string `json:"name"`
	Pending     uint64 `json:"pending"`     // not delivered yet
	AckPending  int    `json:"ack_pending"` // delivered, not acked
	Redelivered int    `json:"redelivered"` // of those, more than once
}

// Status returns the state of the five streams.
func (b *Bus) Status(ctx context.Context) ([]StreamStatus, error) {
	var list []StreamStatus
	for i := range streams {
		name := streams[i].name
		s, err := b.stream(ctx, name)
		if err != nil {
			return nil, err
		}
		info := s.CachedInfo()
		st := StreamStatus{
			Name:     name,
			Messages: info.State.Msgs,
			Bytes:    info.State.Bytes,
			MaxBytes: info.Config.MaxBytes,
			FirstSeq: info.State.FirstSeq,
			LastSeq:  info.State.LastSeq,
		}
		l := s.ListConsumers(ctx)
		for c := range l.Info() {
			if c.Config.Durable == "" {
				continue // a reader
			}
			st.Consumers = append(st.Consumers, ConsumerStatus{
				Name: c.Name, Pending: c.NumPending, AckPending: c.NumAckPending, Redelivered: c.NumRedelivered,
			})
		}
		if err := l.Err(); err != nil {
			return nil, fmt.Errorf("consumers of %s: %w", name, err)
		}
		slices.SortFunc(st.Consumers, func(a, b ConsumerStatus) int { return strings.Compare(a.Name, b.Name) })
		list = append(list, st)
	}
	return list, nil
}
