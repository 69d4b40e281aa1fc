package bus

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Message is one message to publish, or one received.
type Message struct {
	Subject string
	// ID is the Nats-Msg-Id: of messages with the same ID within 15 minutes a
	// stream keeps the first. Publish gives a message without one a random ID.
	ID     string
	Header nats.Header
	Data   []byte

	// Stream, Seq and Time say where and when a received message was stored;
	// Attempt counts deliveries from 1.
	Stream  string
	Seq     uint64
	Attempt int
	Time    time.Time

	msg jetstream.Msg // nil unless Consume is handling it
}

// InProgress tells the server that a message is still being handled. Consume
// does so by itself; a handler needs it only to learn that the connection is
// gone.
func (m *Message) InProgress() error {
	if m.msg == nil {
		return nil
	}
	return m.msg.InProgress()
}

// received makes a Message of what a consumer delivered.
func received(msg jetstream.Msg) (*Message, *jetstream.MsgMetadata, error) {
	md, err := msg.Metadata()
	if err != nil {
		return nil, nil, fmt.Errorf("message metadata: %w", err)
	}
	return &Message{
		Subject: msg.Subject(),
		ID:      msg.Headers().Get(nats.MsgIdHdr),
		Header:  msg.Headers(),
		Data:    msg.Data(),
		Stream:  md.Stream,
		Seq:     md.Sequence.Stream,
		Attempt: int(md.NumDelivered),
		Time:    md.Timestamp,
	}, md, nil
}

// stored makes a Message of what a stream returned.
func stored(name string, raw *jetstream.RawStreamMsg) *Message {
	return &Message{
		Subject: raw.Subject,
		ID:      raw.Header.Get(nats.MsgIdHdr),
		Header:  raw.Header,
		Data:    raw.Data,
		Stream:  name,
		Seq:     raw.Sequence,
		Time:    raw.Time,
	}
}

// ownHeader returns a copy of h without what the server added.
func ownHeader(h nats.Header) nats.Header {
	out := maps.Clone(h)
	for k := range out {
		if strings.HasPrefix(k, "Nats-") {
			delete(out, k)
		}
	}
	if out == nil {
		out = make(nats.Header)
	}
	return out
}

// headerText makes s fit for a header: one line of at most 1 KiB.
func headerText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 1024 {
		cut := 1020
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}
