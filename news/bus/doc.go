// Package bus carries what flows through Xinwen on NATS JetStream: pages,
// articles and alerts in streams, small state in key-value buckets, large pages
// in an object store.
//
// Open starts an embedded server (in-process, no open port unless asked) or
// connects to an external one, and sees to it that streams and buckets are as
// they must be: file storage, DiscardNew, a duplicate window of 15 minutes.
//
//	Publish ──► stream ──► Consume ──► Handler ──► ack
//	   │           ▲           │
//	   ▼           │           ▼ Permanent, or the last try failed
//	 outbox ───────┘       QUARANTINE ──► ReplayQuarantine ──► stream
//
// The one thing to know: delivery is at least once. Publish returns when the
// message is durable, and every message reaches its handler or QUARANTINE, but
// an ack is not durable and a message can come again after a crash. What a
// handler does must be idempotent; IDs are made for that.
package bus
