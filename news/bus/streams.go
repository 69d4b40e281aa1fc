package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	duplicateWindow = 15 * time.Minute
	maxMessageBytes = 900 << 10
	// maxQuarantineBytes leaves room for the reason, below the server's maximum
	// payload of 1 MiB.
	maxQuarantineBytes = 1000 << 10

	// objectsPages holds the data of large pages, objectsKept that of large
	// pages in QUARANTINE, which stay until they are replayed.
	objectsPages = "pages"
	objectsKept  = "quarantine"
)

// direct would let any server of a cluster answer reads: also one that does not
// know the newest messages yet. A value just written was read as the old one,
// an object as missing.
const direct = false

// stream says what a stream must be.
type stream struct {
	name, prefix string
	about        string
	subjects     []string // besides prefix + ">"
	retention    jetstream.RetentionPolicy
	schedules    bool
	maxMessage   int32
	bytes        int64 // default limit
	limit        func(Limits) int64
	age          func(Limits) time.Duration // nil: for good
	first        string                     // durable consumer that sees everything, "" for none
}

var streams = []stream{
	{
		name: Frontier, prefix: "xinwen.frontier.", about: "what to fetch, and when",
		retention: jetstream.WorkQueuePolicy, schedules: true, maxMessage: maxMessageBytes,
		bytes: defaultFrontierBytes, limit: func(l Limits) int64 { return l.FrontierBytes },
	},
	{
		name: Pages, prefix: SubjectPages, about: "fetched pages", maxMessage: maxMessageBytes,
		bytes: defaultPagesBytes, limit: func(l Limits) int64 { return l.PagesBytes },
		age: func(l Limits) time.Duration { return l.PagesAge },
	},
	{
		name: Articles, prefix: SubjectArticles, about: "every article: an index is rebuilt from it",
		maxMessage: maxMessageBytes, bytes: defaultArticlesBytes, limit: func(l Limits) int64 { return l.ArticlesBytes },
		first: ConsumerPercolator,
	},
	{
		name: Alerts, prefix: SubjectAlerts, about: "matches of rules", maxMessage: maxMessageBytes,
		bytes: 4 << 30, limit: func(l Limits) int64 { return l.AlertsBytes },
	},
	{
		name: Quarantine, prefix: SubjectQuarantine, about: "messages that failed for good, with the reason",
		subjects:   advisories(),
		maxMessage: maxQuarantineBytes, bytes: 4 << 30, limit: func(l Limits) int64 { return l.QuarantineBytes },
	},
}

// advisories returns the subjects of the server's advisories that QUARANTINE
// captures. A terminated message of FRONTIER is no failure: after a crash the
// server reports messages so that were acked and removed before it.
func advisories() []string {
	out := []string{advisoryMaxDeliveries + Frontier + ".>"}
	for _, name := range []string{Pages, Articles, Alerts} {
		out = append(out, advisoryMaxDeliveries+name+".>", advisoryTerminated+name+".>")
	}
	return out
}

const (
	defaultFrontierBytes = 1 << 30
	defaultPagesBytes    = 8 << 30
	defaultArticlesBytes = 64 << 30
	defaultBucketBytes   = 2 << 30
	defaultObjectBytes   = 4 << 30
	defaultPagesAge      = 7 * 24 * time.Hour
)

var buckets = []jetstream.KeyValueConfig{
	{Bucket: KVSources, Description: "state of each source"},
	{Bucket: KVSourceChanges, Description: "sources added, and switched on or off"},
	{Bucket: KVFeeds, Description: "state of each feed"},
	{Bucket: KVHosts, Description: "robots, next allowed fetch"},
	{Bucket: KVSeen, Description: "what is known of a URL", LimitMarkerTTL: time.Hour},
	{Bucket: KVRules, Description: "alert rules"},
	{Bucket: KVErased, Description: "articles that must not come back"},
	{Bucket: KVKeys, Description: "keys of the api, as hashes, and sessions"},
	{Bucket: KVParts, Description: "articles of several pages", TTL: 30 * 24 * time.Hour},
	{Bucket: KVMemory, Description: "what the pages of a host have in common", TTL: 90 * 24 * time.Hour},
	{Bucket: KVDeliveries, Description: "log of deliveries", LimitMarkerTTL: time.Hour},
}

func (s *stream) config(c Config) jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:              s.name,
		Description:       s.about,
		Subjects:          append([]string{s.prefix + ">"}, s.subjects...),
		Retention:         s.retention,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		Duplicates:        duplicateWindow,
		MaxMsgSize:        s.maxMessage,
		Replicas:          max(c.Replicas, 1),
		AllowMsgSchedules: s.schedules,
		AllowDirect:       direct,
	}
	if s.schedules {
		// The server has timers only on streams that discard old messages. This
		// one has no limit of its own that could make it do so: send keeps it.
		cfg.Discard, cfg.MaxBytes = jetstream.DiscardOld, -1
	}
	if s.age != nil {
		cfg.MaxAge = pagesAge(c)
	}
	return cfg
}

func pagesAge(c Config) time.Duration {
	if c.Limits.PagesAge > 0 {
		return c.Limits.PagesAge
	}
	return defaultPagesAge
}

// setup brings streams and buckets into the wanted shape.
func (b *Bus) setup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := b.fit(ctx); err != nil {
		return err
	}
	for tries := 0; ; {
		err := b.setupAll(ctx)
		switch {
		case err == nil && b.halved > 0:
			return b.warnSmall(ctx)
		case err == nil || !isStorage(err) || tries == setupTries:
			return err
		case b.halved < maxHalved:
			b.halved++
			continue
		}
		// Other services that start at this moment reserve room to see whether
		// there is some; they give it back.
		tries++
		if sleep(ctx, jitter(time.Second)) != nil {
			return err
		}
	}
}

// setupTries is how often setup waits for room that others have reserved.
const setupTries = 8

func (b *Bus) setupAll(ctx context.Context) error {
	insist := b.insist
	for i := range streams {
		s := &streams[i]
		if err := insist(ctx, func(ctx context.Context) error { return b.setupStream(ctx, s) }); err != nil {
			return setupError("stream "+s.name, err)
		}
	}
	for _, cfg := range buckets {
		if err := insist(ctx, func(ctx context.Context) error { return b.setupBucket(ctx, cfg) }); err != nil {
			return setupError("bucket "+cfg.Bucket, err)
		}
	}
	for _, name := range []string{objectsPages, objectsKept} {
		if err := insist(ctx, func(ctx context.Context) error { return b.setupObjects(ctx, name) }); err != nil {
			return setupError("object store "+name, err)
		}
	}
	return nil
}

// insist repeats f: a cluster that has just started does not answer, or
// refuses, for a while, and of services that make the same stream at the same
// time only one gets an answer. Jitter parts them.
func (b *Bus) insist(ctx context.Context, f func(context.Context) error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		try, cancel := context.WithTimeout(ctx, jitter(max(10*wait, 2*time.Second)))
		err := f(try)
		cancel()
		if err == nil {
			return nil
		}
		if denied := b.denied.Load(); denied != nil {
			return hint("set up streams", *denied, "streams are made and changed by a user with the rights for it: run `xinwen streams` with the admin's nkey or credentials, then start this again")
		}
		if isStorage(err) || !isNotYet(err) {
			return err
		}
		if sleep(ctx, jitter(wait)) != nil {
			return err
		}
	}
}

// isNotYet reports whether the same question may get another answer soon: from
// a cluster without a leader, of servers that do not know yet what another
// service has just made, or of one that is still removing the directory of a
// stream deleted before, which takes the new stream's with it.
func isNotYet(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return true
	}
	switch api.ErrorCode {
	case codeNoPeers, codeStreamCreate, jetstream.JSErrCodeStreamNotFound:
		return true
	}
	return api.Code == 503
}

func setupError(what string, err error) error {
	if err == nil {
		return nil
	}
	op := "set up " + what
	var api *jetstream.APIError
	switch {
	case isStorage(err):
		return hint(op, err, "raise max_file_store of the NATS server, or lower the limits of the bus")
	case errors.As(err, &api) && api.ErrorCode == codeStreamCreate:
		return hint(op, err, "look into the NATS server's log: it cannot write to its store directory")
	case errors.As(err, &api) && api.ErrorCode == codeNoPeers:
		return hint(op, err, "start as many servers of the cluster as there are replicas, or lower replicas")
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount),
		errors.Is(err, nats.ErrNoResponders):
		return hint(op, err, "enable JetStream on the NATS server and for this account")
	}
	return fmt.Errorf("%s: %w", op, err)
}

func (b *Bus) setupBucket(ctx context.Context, cfg jetstream.KeyValueConfig) error {
	cfg.Storage, cfg.History, cfg.Replicas = jetstream.FileStorage, 1, max(b.config.Replicas, 1)
	limit := b.config.Limits.BucketBytes
	cfg.MaxBytes = b.room(defaultBucketBytes, limit)
	create := func() error {
		_, err := b.js.CreateKeyValue(ctx, cfg)
		return err
	}
	return b.align(ctx, "KV_"+cfg.Bucket, create, func(have *jetstream.StreamConfig) {
		have.AllowDirect = direct
		setLimit(have, cfg.MaxBytes, limit)
	})
}

func (b *Bus) setupObjects(ctx context.Context, name string) error {
	limit := b.config.Limits.ObjectBytes
	cfg := jetstream.ObjectStoreConfig{
		Bucket: name, Storage: jetstream.FileStorage, Replicas: max(b.config.Replicas, 1),
		MaxBytes: b.room(defaultObjectBytes, limit),
	}
	if name == objectsPages {
		// A day longer than the message that points to it.
		cfg.TTL = pagesAge(b.config) + 24*time.Hour
	}
	create := func() error {
		_, err := b.js.CreateObjectStore(ctx, cfg)
		return err
	}
	return b.align(ctx, "OBJ_"+name, create, func(have *jetstream.StreamConfig) {
		have.AllowDirect = direct
		setLimit(have, cfg.MaxBytes, limit)
		if name == objectsPages && b.config.Limits.PagesAge > 0 {
			have.MaxAge = cfg.TTL
		}
	})
}

func (b *Bus) setupStream(ctx context.Context, s *stream) error {
	limit := s.limit(b.config.Limits)
	want := s.config(b.config)
	if !s.schedules {
		want.MaxBytes = b.room(s.bytes, limit)
	}
	create := func() error {
		_, err := b.js.CreateStream(ctx, want)
		return err
	}
	err := b.align(ctx, s.name, create, func(have *jetstream.StreamConfig) {
		have.Description, have.Subjects = want.Description, want.Subjects
		have.Retention, have.Storage, have.Discard = want.Retention, want.Storage, want.Discard
		have.Duplicates, have.MaxMsgSize = want.Duplicates, want.MaxMsgSize
		have.AllowMsgSchedules, have.AllowDirect = want.AllowMsgSchedules, want.AllowDirect
		have.MaxMsgs, have.MaxMsgsPerSubject = -1, -1
		have.PersistMode = jetstream.DefaultPersistMode
		if s.schedules {
			limit = want.MaxBytes
		}
		setLimit(have, want.MaxBytes, limit)
		if s.age == nil || s.age(b.config.Limits) > 0 {
			have.MaxAge = want.MaxAge
		}
	})
	if err != nil || s.first == "" {
		return err
	}
	return b.setupFirst(ctx, s)
}

// setupFirst makes the consumer that must see everything, in a stream that has
// never had a message or a consumer. In others it begins with what is new: a
// restored system must not tell of everything again.
func (b *Bus) setupFirst(ctx context.Context, s *stream) error {
	have, err := b.js.Stream(ctx, s.name)
	if err != nil {
		return err
	}
	if st := have.CachedInfo().State; st.LastSeq > 0 || st.Consumers > 0 {
		return nil
	}
	c, err := ConsumerConfig{Stream: s.name, Name: s.first}.withDefaults()
	if err != nil {
		return err
	}
	_, err = b.js.CreateConsumer(ctx, s.name, c.durable())
	if errors.Is(err, jetstream.ErrConsumerExists) {
		return nil // of another service that starts at this moment
	}
	return err
}

// setLimit changes the limit of an existing stream only to the operator's.
func setLimit(have *jetstream.StreamConfig, want, operators int64) {
	if operators != 0 || have.MaxBytes <= 0 {
		have.MaxBytes = want
	}
}

// align creates a stream that does not exist, and updates an existing one where
// change makes a difference. It looks before it creates: a server short of room refuses also to create what
// exists.
func (b *Bus) align(ctx context.Context, name string, create func() error, change func(*jetstream.StreamConfig)) error {
	s, err := b.js.Stream(ctx, name)
	fresh := errors.Is(err, jetstream.ErrStreamNotFound)
	if fresh {
		err = create()
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) && !errors.Is(err, jetstream.ErrBucketExists) {
			return err
		}
		s, err = b.js.Stream(ctx, name)
	}
	if err != nil {
		return err
	}
	have := s.CachedInfo().Config
	want := have
	want.Subjects = slices.Clone(have.Subjects)
	change(&want)
	if b.config.Replicas > 0 {
		want.Replicas = b.config.Replicas
	}
	before, err := json.Marshal(have)
	if err != nil {
		return err
	}
	after, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if string(before) == string(after) {
		return nil
	}
	if _, err := b.js.UpdateStream(ctx, want); err != nil {
		var api *jetstream.APIError
		if errors.As(err, &api) && api.Code < 500 {
			return hint("update configuration", err,
				"it was created with settings that cannot be changed in place: back it up with the nats tool, delete it, and start again")
		}
		return err
	}
	if !fresh {
		b.log.Warn("stream was not configured as it must be, and is now", "stream", name, "changed", differences(before, after))
	}
	return nil
}

// differences names the keys that differ between two JSON objects.
func differences(before, after []byte) string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		return "?" // both are our own
	}
	var keys []string
	for k := range b {
		if string(a[k]) != string(b[k]) {
			keys = append(keys, fmt.Sprintf("%s: %s → %s", k, a[k], b[k]))
		}
	}
	for k := range a {
		if _, ok := b[k]; !ok {
			keys = append(keys, fmt.Sprintf("%s: %s → nothing", k, a[k]))
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

// bind looks up the buckets that setup made.
func (b *Bus) bind(ctx context.Context) error {
	b.kv = make(map[string]jetstream.KeyValue)
	for _, cfg := range buckets {
		kv, err := b.js.KeyValue(ctx, cfg.Bucket)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", cfg.Bucket, err)
		}
		b.kv[cfg.Bucket] = bucket{kv}
	}
	b.objects = make(map[string]jetstream.ObjectStore)
	for _, name := range []string{objectsPages, objectsKept} {
		o, err := b.js.ObjectStore(ctx, name)
		if err != nil {
			return fmt.Errorf("object store %s: %w", name, err)
		}
		b.objects[name] = o
	}
	return nil
}

// checkSync asks the monitoring addresses whether the servers sync always. With
// the default of two minutes a power cut loses acked messages, on several
// replicas too.
func (b *Bus) checkSync(ctx context.Context) error {
	if b.server != nil || strings.HasPrefix(b.config.URL, "unix://") {
		return nil // startServer sees to it
	}
	if len(b.config.Monitor) == 0 {
		b.log.Warn("cannot see whether the NATS server syncs always",
			"hint", "set sync_interval: always in the jetstream block of each server, and monitor to their monitoring addresses so that it is checked")
		return nil
	}
	// One that does not answer may be down, which is what the others are for.
	var silent error
	answered := false
	for _, address := range b.config.Monitor {
		always, err := syncAlways(ctx, address)
		switch {
		case err != nil:
			silent = errors.Join(silent, hint("check NATS server "+address, err, "monitor must be the monitoring address of a NATS server, such as http://host:8222"))
		case !always:
			return hint("check NATS server "+address, errors.New("it does not sync always, a power cut would lose messages"),
				"set sync_interval: always in its jetstream block and restart it")
		default:
			answered = true
		}
	}
	if answered && silent != nil {
		b.log.Warn("cannot see whether every NATS server syncs always", "err", silent)
		return nil
	}
	return silent
}

func syncAlways(ctx context.Context, address string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/varz", nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("GET /varz: %s", resp.Status)
	}
	var varz struct {
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 4<<20)).Decode(&varz); err != nil {
		return false, fmt.Errorf("GET /varz: %w", err)
	}
	if varz.JetStream.Config == nil {
		return false, errors.New("JetStream is not enabled there")
	}
	return varz.JetStream.Config.SyncAlways, nil
}
