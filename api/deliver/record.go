package deliver

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news"
	"xinwen/news/bus"
)

// Status is how far a delivery has come.
type Status string

// The statuses of a delivery.
const (
	// Pending will be tried, or tried again at NextTry.
	Pending Status = "pending"
	// Waiting will be told together with others at NextTry: a digest, the end of
	// quiet hours or of a throttle.
	Waiting Status = "waiting"
	// Delivered was accepted by its receiver.
	Delivered Status = "delivered"
	// Repeat was not told: it repeats the story of another article.
	Repeat Status = "repeat"
	// Dead failed for good; it can be replayed.
	Dead Status = "dead"
	// Disabled was not tried, since the receiver had said 410 Gone before; a
	// replay tries the receiver again.
	Disabled Status = "disabled"
)

// Channels of deliveries, beside those of news.Channel.
const (
	ChannelLog     = "log"
	ChannelWebhook = "webhook"
)

// Record is one delivery in the log: one alert to one receiver.
type Record struct {
	// ID is the same for the same rule, article and receiver; it is the
	// webhook-id of every attempt.
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	RuleName string `json:"rule_name"`
	// Alert is the ID of the alert told; a later revision of the article makes
	// another alert, but no other delivery.
	Alert   string `json:"alert"`
	Article string `json:"article"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Channel string `json:"channel" enum:"log,webhook,email,slack,teams,telegram,discord,feishu,lark,dingtalk,wecom"`
	// To names the receiver, without what may be secret in its address.
	To     string `json:"to,omitempty"`
	Status Status `json:"status" enum:"pending,waiting,delivered,repeat,dead,disabled"`
	// Repeats is the article whose story a repeat repeats.
	Repeats    string    `json:"repeats,omitempty"`
	Attempts   int       `json:"attempts"`
	HTTPStatus int       `json:"http_status,omitempty"`
	Error      string    `json:"error,omitempty"`
	Created    time.Time `json:"created"`
	LastTry    time.Time `json:"last_try,omitzero"`
	NextTry    time.Time `json:"next_try,omitzero"`
	// Since is when the present round of attempts began.
	Since time.Time `json:"since"`
}

// letter is a record with what a replay needs.
type letter struct {
	Record
	// Receiver tells the webhook apart from others without its address.
	Receiver string `json:"receiver,omitempty"`
	// Letter is the alert itself, until it is delivered.
	Letter *news.Alert `json:"letter,omitempty"`
	// Digest is the ID of the digest it waits for.
	Digest string `json:"digest,omitempty"`
}

// ErrNoDelivery says that there is no delivery of an ID.
var ErrNoDelivery = errors.New("no such delivery")

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

// ID returns the ID of the delivery of rule on an article to a receiver: the
// URL of a webhook, what tells a channel apart, or "" for the log.
func ID(rule, article, receiver string) string { return hash("delivery", rule, article, receiver) }

// journal is the log of deliveries in KV.
type journal struct{ kv jetstream.KeyValue }

func recordKey(rule, id string) string { return "delivery." + bus.Key(rule) + "." + id }

func goneKey(receiver string) string { return "gone." + receiver }

func (j journal) get(ctx context.Context, rule, id string) (*letter, error) {
	e, err := j.kv.Get(ctx, recordKey(rule, id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, ErrNoDelivery
	}
	if err != nil {
		return nil, fmt.Errorf("read delivery %s: %w", id, err)
	}
	var l letter
	if err := json.Unmarshal(e.Value(), &l); err != nil {
		return nil, fmt.Errorf("read delivery %s: %w", id, err)
	}
	return &l, nil
}

// create stores l unless it exists; it returns what is stored, and whether it
// is new.
func (j journal) create(ctx context.Context, l *letter) (stored *letter, created bool, err error) {
	data, err := json.Marshal(l)
	if err != nil {
		return nil, false, err
	}
	_, err = j.kv.Create(ctx, recordKey(l.Rule, l.ID), data)
	if err == nil {
		return l, true, nil
	}
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return nil, false, fmt.Errorf("log delivery %s: %w", l.ID, err)
	}
	stored, err = j.get(ctx, l.Rule, l.ID)
	return stored, false, err
}

func (j journal) put(ctx context.Context, l *letter) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := j.kv.Put(ctx, recordKey(l.Rule, l.ID), data); err != nil {
		return fmt.Errorf("log delivery %s: %w", l.ID, err)
	}
	return nil
}

// gone reports whether receiver has said 410.
func (j journal) gone(ctx context.Context, receiver string) (bool, error) {
	_, err := j.kv.Get(ctx, goneKey(receiver))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (j journal) setGone(ctx context.Context, receiver string) error {
	_, err := j.kv.Put(ctx, goneKey(receiver), []byte(time.Now().UTC().Format(time.RFC3339)))
	return err
}

func (j journal) clearGone(ctx context.Context, receiver string) error {
	err := j.kv.Delete(ctx, goneKey(receiver))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	return err
}

// list calls visit for each delivery of rule ("" = all) and id ("" = all).
func (j journal) list(ctx context.Context, rule, id string, visit func(*letter)) error {
	token := "*"
	if rule != "" {
		token = bus.Key(rule)
	}
	if id == "" {
		id = "*"
	}
	w, err := j.kv.Watch(ctx, "delivery."+token+"."+id, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("list deliveries: %w", err)
	}
	defer func() { _ = w.Stop() }() // only reading
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("list deliveries: the watch ended early")
			}
			if e == nil {
				return nil
			}
			var l letter
			if err := json.Unmarshal(e.Value(), &l); err != nil {
				return fmt.Errorf("list deliveries: %s: %w", e.Key(), err)
			}
			visit(&l)
		}
	}
}

// Filter narrows a list of deliveries; a zero field asks for all.
type Filter struct {
	Rule   string
	Status Status
	// Limit is the most that is returned, newest first.
	Limit int
}

// List returns deliveries, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Record, error) {
	newest := func(a, b Record) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	}
	list := []Record{}
	err := s.journal.list(ctx, f.Rule, "", func(l *letter) {
		if f.Status != "" && l.Status != f.Status {
			return
		}
		list = append(list, l.Record)
		if f.Limit > 0 && len(list) >= 4*f.Limit { // keep memory bounded
			slices.SortFunc(list, newest)
			list = list[:f.Limit]
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, newest)
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[:f.Limit]
	}
	return list, nil
}
